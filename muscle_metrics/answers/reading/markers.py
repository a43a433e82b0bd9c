"""Words that announce, link or deny an answer, in the languages of multilingual benchmarks.

Sources: the prompts of simple-evals (`MULTILINGUAL_ANSWER_REGEXES`, 14 languages of MMMLU), MGSM,
Global MMLU, and the translations of "Answer:" in lm-evaluation-harness.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

__all__ = [
    "ANSWER",
    "CHOOSE",
    "CONNECTIVE",
    "GAP",
    "LINK",
    "NEXT_QUESTION",
    "OPTION",
    "SUFFIX",
    "Places",
]

# Words of scripts with cases are found in either case.
_ANSWER_WORDS = """
answer|answers|ans|answer key|final choice|correct choice|
right choice|
best choice|
my choice|correct option|correct options|correct choices|right option|best option|
final option|correct letter|
correct alternative|правильный вариант|верный вариант|правильний варіант|doğru seçenek|
doğru şık|
richtige option|mejor opción|melhor opção|chaguo sahihi|pilihan yang tepat|σωστή επιλογή|
antwort|antworten|lösung|loesung|richtig ist|respuesta|respuestas|solución|opción correcta|
alternativa correcta|
réponse|reponse|réponses|bonne option|option correcte|risposta|risposte|soluzione|
opzione corretta|
resposta|respostas|solução|opção correta|alternativa correta|letra correta|antwoord|odpowiedź|
odpowiedz|odpowiedź to|odpowiedz to|
cevap|cevabı|yanıt|yanıtı|đáp án|câu trả lời|lựa chọn đúng|jawaban|jawabannya|jawapan|
pilihan yang benar|
jibu|jawabu|ответ|ответом|ответы|відповідь|отговор|одговор|odpověď|odpoveď|svar|svaret|vastaus|
vastaus on|
válasz|a válasz|răspuns|răspunsul|απάντηση|amsa|impendulo|idahun|ìdáhùn|idáhùn|
àmọ̀nà|àdáhùn|ànúgọ|àṣàyàn|azịza
"""
_OTHER_ANSWERS = """
উত্তরঃ|উত্তর|उत्तर|जवाब|ਉੱਤਰ|ਜਵਾਬ|જવાબ|ઉત્તર|விடை|பதில்|సమాధానం|జవాబు|ಉತ್ತರ|ഉത്തരം|
الإجابة|الاجابة|إجابة|اجابة|الجواب|جواب|پاسخ|گزینه درست|گزینه صحیح|תשובה|התשובה|
คำตอบที่ถูกต้อง|คำตอบ|ตอบ|መልስ|პასუხი|պատասխան|Պատասխան|
正确答案|正確答案|正确选项|正確選項|正しい選択肢|सही विकल्प|সঠিক বিকল্প|الخيار الصحيح|
올바른 선택지|答案选项|答案|答复|答曰|答(?<![回解]答)(?![案复曰え])|答え|回答|解答|正解|正答|
정답|답변|답안|답(?<![가-힣]답)
"""
_CHOICE_WORDS = """
i choose|i select|i pick|i'd choose|i'd pick|i'd go with|i would choose|i would go with|
i'd say|i would say|
i will go with|
i'll go with|i go with|i'm going with|going with|i opt for|my pick is|my choice is|
so|therefore|thus|hence|conclusion|it must be|it should be|it's|it is|must be|
ich wähle|elijo|escojo|je choisis|scelgo|escolho|ik kies|wybieram|seçiyorum|saya memilih|
я выбираю|выбираю|ninachagua|tôi chọn|chọn
"""
_OTHER_CHOICES = """
故选|应选|應選|故選|选(?<![不别]选)择?(?![项择])|選(?<![不別]選)択?(?![項択])|所以是|だから|
よって
"""

_OPTION_WORDS = """
option|choice|letter|alternative|solution|selection|response|opción|letra|alternativa|inciso|lettre|choix|proposition|
opzione|
lettera|scelta|opção|buchstabe|wahl|möglichkeit|antwortmöglichkeit|optie|keuze|opcja|seçenek|
şık|
lựa chọn|phương án|pilihan|opsi|huruf|chaguo|herufi|вариант|пункт|варіант|επιλογή|àṣàyàn
"""
_OTHER_OPTIONS = """
विकल्प|বিকল্প|অপশন|الخيار|الاختيار|الحرف|خيار|گزینه|אפשרות|ตัวเลือก|ข้อ|选项|選項|選択肢|보기|
선택지
"""

_LINK_WORDS = """
is|was|be|are|would|should|must|will|likely|most|probably|clearly|definitely|obviously|
certainly|actually|therefore|thus|hence|then|so|indeed|simply|the|this|that|correct|right|
best|final|one|it|it's|its|that's|both|either|i think|i believe|i guess|i would say|i'd say|
i am going with|i'm going with|i choose|i would choose|ist|lautet|wäre|also|somit|daher|die|
der|das|richtige|sollte|sein|buchstabe|es|sería|seria|debe|debería|ser|la|el|correcta|
correcto|final|por|lo|tanto|sera|será|est|serait|doit|être|donc|le|correcte|bonne|exacte|
finale|è|sarebbe|dovrebbe|essere|quindi|corretta|giusta|definitiva|é|é a|é o|a letra|a opção|
a alternativa|deve|portanto|correta|certa|a seguinte|het|juiste|prawidłowa|poprawna|brzmi|
olarak|doğru|là|đúng|chính xác|nhất|adalah|ialah|yang|benar|tepat|akhir|ni|sahihi|sahihi ni|
la mwisho|náà|náà ni|правильный|верный|является|это|будет|вариант|правильна|правильно|είναι|
το|το γράμμα|
σωστή|este|corect|corectă|är|er|je|správná|helyes|jẹ́|jẹ|tí ó tọ́|tó tọ́|tó tọ́ ni|to tọ ni|
ti o tọ ni|has to|ought to|seems to|appears to|to this question|to the question|
for this question|given by|following
"""
_OTHER_LINKS = """
هي|هو|الصحيحة|الصحيح|النهائية|النهائي|است|صحیح|درست|ہے|درست ہے|הוא|היא|הנכונה|הסופית|
है|सही|হলো|হল|হচ্ছে|সঠিক|คือ|ที่ถูกต้อง|เป็น|是|为|為|应为|应该是|應該是|就是|选择|选|選擇|選|项|
は|が|、|(?<=[답변안])[은는이가]|ஆகும்|सही उत्तर
"""
_CONNECTIVE_WORDS = """
because|since|as|due to|which|where|given|with|for|is the correct|is the right|is the best|
is the answer|is correct|is right|it is|it must be|
i think|i believe|i guess|in my opinion|obviously|of course|
option|choice|şıkkı|seçeneği|not|and not|rather than|instead of|but not|
weil|da|denn|nicht|ist richtig|porque|ya que|pues|puesto que|no|es correcta|parce|puisque|
et non|non|
perché|poiché|è corretta|pois|já que|não|omdat|want|ponieważ|bo|çünkü|vì|bởi|karena|sebab|kwa|
kwani|
nitori|nítorí|потому|так как|поскольку|ибо|а не|тому що|επειδή|γιατί
"""
_OTHER_CONNECTIVES = """
لأن|لانها|لأنها|وليس|زیرا|چون|است|ہے|כי|है|क्योंकि|হবে|হয়|কারণ|เพราะ|เนื่องจาก|입니다|이다|이며|
번
"""
# What may stand right behind a letter in scripts without spaces; Turkish adds its "is" to it.
_SUFFIXES = """
です|だ(?:。|と|から|\\s|$)|である|でしょう|となり|になり|と[な思い考]|が正[しい解]|が答え|
입니다|이다|이며|이고|예요|이에요|이라고|번|
项|項|选项|選項|[”’」』]|是正确|是對|正确|因为|因為|吧|呢
"""
_QUESTION_WORDS = """
question|q|problem|exercise|next question|user|human|input|### instruction|### input|
frage|pregunta|domanda|pergunta|vraag|soru|câu hỏi|pertanyaan|soalan|swali|вопрос|питання|
ìbéèrè
"""
_OTHER_QUESTIONS = """
প্রশ্ন|प्रश्न|السؤال|سؤال|سوال|שאלה|คำถาม|问题|問題|質問|문제|질문
"""


def _alternatives(text: str) -> list[str]:
    """Alternatives, the longest first, in both of Unicode's forms of accents."""
    words = {word.strip() for word in text.replace("\n", "").split("|") if word.strip()}
    for word in [word for word in words if "[" not in word]:
        words |= {unicodedata.normalize(form, word) for form in ("NFC", "NFD")}
    return sorted(words, key=lambda word: (-len(word), word))


def _words(text: str) -> str:
    return "|".join(_alternatives(text)).replace(" ", r"\s+")


def _either(cased: str, other: str) -> str:
    return rf"(?:(?<![^\W_])(?i:{_words(cased)})(?![^\W_])|{_words(other)})"


_TOKEN = re.compile(r"[^\W_]+")


def _first_words(text: str) -> frozenset[str]:
    """First word of each phrase, as `_TOKEN` cuts a text."""
    phrases = _alternatives(text)
    return frozenset(first[0] for phrase in phrases if (first := _TOKEN.search(phrase.lower())))


CHOOSE = _either(_CHOICE_WORDS, _OTHER_CHOICES)
OPTION = _either(_OPTION_WORDS, _OTHER_OPTIONS)
_ANSWER = _either(_ANSWER_WORDS, rf"{_OTHER_ANSWERS}|(?<=\\)boxed(?=\s*\{{)|(?<=\\)fbox(?=\s*\{{)")
ANSWER = rf"(?:{_ANSWER}(?:\.(?=\s)|\s?\d{{1,3}}(?=\s?[:：]))?|{OPTION}(?=[\s*_\"']{{0,4}}[:：]))"
LINK = _either(_LINK_WORDS, _OTHER_LINKS)
CONNECTIVE = _either(_CONNECTIVE_WORDS, _OTHER_CONNECTIVES)
SUFFIX = rf"(?:{_SUFFIXES.strip().replace(chr(10), '')})"
NEXT_QUESTION = re.compile(
    rf"\n[\s#*]{{0,10}}+(?:(?i:{_words(_QUESTION_WORDS)})|{_words(_OTHER_QUESTIONS)})"
    r"[\s*]{0,4}+(?:\d{1,5}+)?+[\s*]{0,4}+[:：.।]"
)
# Marks and commands of Markdown and LaTeX, brackets, quotes, colons.
GAP = (
    r"""(?:['’]s(?=\s)|[\s:：=>*_`~$"'“”„‘’«»‹›<(\[{（【〔「『《\-–—…,،、।ঃ\\#|]{1,40}+|\.{3}|"""
    r"\\?(?:text|mathrm|mathbf|textbf|mathsf|boxed|bf|rm)(?=[\s{])\{?)"
)

_ANNOUNCING = _first_words(_ANSWER_WORDS) | _first_words(_OPTION_WORDS) | {"boxed", "fbox"}
_CHOOSING = _first_words(_CHOICE_WORDS)
_IN_WORDS = re.compile(
    rf"(?P<announcing>{_words(_OTHER_ANSWERS)}|{_words(_OTHER_OPTIONS)})|{_words(_OTHER_CHOICES)}"
)
_CAPITAL_IN_WORDS = re.compile("[A-Z](?=[是为為がは는은이가选選项項])")


_MOST_PLACES = 500


def _ends_of(places: list[int]) -> list[int]:
    """Keep the first and last places: a text of a megabyte may repeat one word."""
    if len(places) <= 2 * _MOST_PLACES:
        return places
    return places[:_MOST_PLACES] + places[-_MOST_PLACES:]


@dataclass(frozen=True, slots=True)
class Places:
    """Where words that announce or choose an answer may start, and single letters stand."""

    announcing: list[int]
    choosing: list[int]
    letters: list[int]

    @classmethod
    def of(cls, text: str) -> Places:
        """Find the places in one pass: patterns of all words at every place are slow."""
        places = cls([], [], [])
        # The only character that is longer in lower case.
        for token in _TOKEN.finditer(text.replace("İ", "I").lower()):
            word = token[0]
            if word in _ANNOUNCING:
                places.announcing.append(token.start())
            if word in _CHOOSING:
                places.choosing.append(token.start())
            if len(word) == 1:
                places.letters.append(token.start())
        if not text.isascii():
            places.add_from_words(text)
        return cls(*map(_ends_of, (places.announcing, places.choosing, places.letters)))

    def add_from_words(self, text: str) -> None:
        """Add places inside the words of scripts without spaces."""
        for match in _IN_WORDS.finditer(text):
            (self.announcing if match["announcing"] else self.choosing).append(match.start())
        self.letters.extend(match.start() for match in _CAPITAL_IN_WORDS.finditer(text))
        self.announcing.sort()
        self.choosing.sort()
        self.letters.sort()

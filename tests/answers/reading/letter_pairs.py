"""Answers and references of multiple choice, judged by hand: are they the same?

A line is "=" or "!", the letter of the reference, and the answer between bars. In it "⏎" stands for
a line break, "⟨zwsp⟩" for a space without a width, and "⟨nbsp⟩" for one that does not break.
"""

from __future__ import annotations

PAIRS = r"""
= B |ANSWER: B|
= B |Answer: (B)|
= B |answer: b|
= B |answer is b|
= B |The answer is: B|
= D |**Final Answer: D**|
= D |### Final Answer⏎⏎**D**|
= D |Final answer: $\boxed{D}$|
= B |\boxed{\textbf{(B)}}|
= E |$\boxed{\mathrm{E}}$|
= B |\[\boxed{B}\]|
= C |\boxed{C. Paris}|
= B |The answer is "B".|
= B |The answer is 'B'.|
= B |The answer is `B`.|
= B |The answer is “B”|
= D |I choose option (D).|
= C |I would go with C.|
= B |My choice is B|
= B |It's B.|
= D |So the answer must be D.|
= A |The best answer is: (A)|
= A |The correct choice is A.|
= B |Option B|
= B |Option (B)|
= C |option c|
= D |Choice D.|
= B |(B)|
= B |[B]|
= B |B)|
= B |B.|
= B |B:|
= B |b|
= B |b)|
= B |(b) Paris|
= C |C) text|
= C |C. Paris|
= C |C: Paris|
= C |C⏎⏎Because it is.|
= B |**B**|
= B |**B.** Paris|
= B |**B) Paris**|
= B |*B*|
= B |__B__|
= B |"B"|
= B | B |
= B |<answer>B</answer>|
= B |{"answer": "B"}|
= C |{"reasoning": "A is tempting", "answer": "C"}|
= D |```json⏎{"answer": "D"}⏎```|
= B |Let us see.⏎⏎B|
= B |Let us see.⏎**B**|
= B |B is correct.|
= B |B is the correct answer.|
= B |Only (B) is correct.|
= B |Option B is the best answer because cars move.|
= B |The answer is B, since A is wrong.|
= B |Answer: B (Paris)|
= B |Answer: B - Paris|
= B |Answer: B – Paris|
= B |Answer: B Paris|
= B |Answer: B. Paris is the capital|
= B |The answer is Paris (B).|
= B |The correct answer is B) Paris, not A) London.|
= D |A is wrong. C is wrong. The answer: D|
= A |Therefore, the answer is (A) 5 apples.|
= C |Thus, C.|
= D |Hence the correct option is D.|
= B |Answer:B|
= B |Answer is B|
= B |Answer - B|
= B |Answer = B|
= C |ANS: C|
= C |Solution: C|
= B |The answer is B.⏎⏎Question: What is next?⏎A) x⏎B) y⏎Answer: A|
= C |C⏎⏎Question: next one⏎Answer: A|
= B | B⏎⏎Q: foo⏎A: bar⏎|
= C |The answer is A. Wait, no. The answer is C.|
= B |Answer: A⏎⏎Answer: B|
= B |The answer is not A but B.|
= C |The answer is (C) not (A)|
= D |It isn't A; the answer is D|
= C |Not A, not B. The answer is C.|
= B || Answer | B ||
= B |Answer: [B]|
= B |Answer: <B>|
= B |Answer: {B}|
= B |The answer is $B$|
= B |The answer is \(B\).|
= B |The answer is $\text{B}$.|
= B |Answer: \text{B}|
= B |Answer: Ｂ|
= B |Ｂ|
= B |（Ｂ）|
= B |Answer: 𝐁|
= B |Answer:⟨zwsp⟩ B|
= B |Answer:⟨nbsp⟩B|
! A |The answer is A or B.|
! B |The answer is A or B.|
! A |Answer: A and B|
! B |Answer: both A and B|
! A |Answer: A/B|
! A |Answer: A, B|
! A |A or B|
! A |A, B|
! A |A B|
! A |AB|
! B |AB|
! A |Answer: neither A nor B|
! B |Answer: neither A nor B|
! N |Answer: None of the above|
! N |Answer: N/A|
! A |Answer: N/A|
! B |The answer is not B.|
! B |The answer isn't B.|
! B |The answer cannot be B.|
! B |B is wrong.|
! B |B is not correct.|
! B |(B) is incorrect.|
! B |Option B is wrong.|
! B |Answer: not B|
! B |I eliminate (B).|
! A |A dog barks.|
! A |The answer is a dog.|
! A |The answer is A dog.|
! A |Answer: A dog|
! I |Answer: I think so|
! I |I think it is Paris|
! I |I am not sure|
! I |The answer is I am not sure|
! I |Answer: I'm not sure|
! I |Answer: I, for one, do not know|
! B |Vitamin B|
! B |hepatitis B|
! B |The answer is hepatitis B|
! B |Answer: Plan B|
! B |The answer is B cells|
! C |The answer is vitamin C.|
! E |Answer: E. coli|
! E |E. coli is a bacterium|
! C |Answer: C++|
! A |The answer is A* search|
! C |The answer is C#|
! C |C = 5|
! B |Answer: B.C. 44|
! U |Answer: U.S.|
! A |Answer: A.D. 70|
! E |Answer: e.g. a dog|
! I |Answer: i.e. nothing|
! B |Is the answer B?|
! B |If the answer is B, then cars fly.|
! B |The wrong answer is B.|
! B |The incorrect answer is (B)|
! B |Answer: B-cells|
! X |Answer: X-ray|
! A |P(A) is 0.5|
! C |f(x) = C|
! T |S(T)|
! A |we see P (A)|
! A |A) Paris⏎B) London⏎C) Rome⏎D) Oslo|
! A |Choose the correct answer:⏎A) Paris⏎B) London|
! Y |Answer: Yes|
! N |No|
! C |Answer: 5 C|
! B |Answer: 2|
! A ||
! A |   |
! A |?|
! A |(A) is tempting, (B) is too.|
! B |(A) is tempting, (B) is too.|
! B |Both A and B are correct.|
! C |A and C are correct|
! B |Neither A nor B is correct.|
! B |Is B correct?|
! A |Let's check (A) first: we see|
! B |Answer: BE|
! B |Answer: BAD|
= A |answer a|
= D |Answer: D because A is wrong|
= A |The answer is A because cars move|
= A |The answer is A.|
= I |Answer: I|
= B |Antwort: B|
= B |Die richtige Antwort ist B.|
= C |Die Antwort lautet (C).|
! B |Die richtige Antwort ist nicht B.|
= B |Antwort: B, weil ...|
= B |Respuesta: B|
= B |La respuesta correcta es la B.|
= C |La respuesta es (C).|
= D |La opción correcta es D.|
! A |Respuesta: A veces|
! B |La respuesta no es B|
! A |La respuesta es A o B.|
= B |Réponse : B|
= C |La bonne réponse est C.|
= D |La réponse correcte est (D).|
= B |Réponse : B car Paris|
! B |La réponse n'est pas B.|
! A |Réponse : A ou B|
= B |Risposta: B|
= C |La risposta corretta è C.|
= D |La risposta giusta è la D|
! B |La risposta non è B|
= B |Resposta: B|
= C |A resposta correta é a letra C.|
= D |A resposta é (D).|
! B |A resposta não é B|
! O |Resposta: O gato|
= B |答案：B|
= B |答案是B。|
= C |正确答案是 C|
= D |答案为（D）|
= B |故选B。|
= C |选C|
= D |因此选择D。|
! B |答案不是B|
! B |不选B|
! B |答案是B细胞|
! C |维生素C|
! B |B是错的|
= A |答案：甲|
= C |正確答案是C|
= A |答案：Ａ|
! A |答案是A或B|
= B |答え：B|
= C |答えは（C）です。|
= D |正解はDです|
= B |回答：Ｂ|
! B |答えはBではない|
= B |正解はイです|
! A |答えはAかBです|
= B |정답: B|
= C |정답은 C입니다.|
= D |답: D|
= B |정답은 (B)입니다|
! B |정답은 B가 아닙니다|
= B |답변: 나|
! A |정답은 A 또는 B|
= B |الإجابة: B|
= B |الإجابة الصحيحة هي ب|
= C |الإجابة: ج.|
= D |الجواب: د|
= A |الجواب النهائي: أ|
! B |الإجابة ليست ب|
! A |الإجابة: أ أو ب|
= B |उत्तर: B|
= C |सही उत्तर (C) है।|
= B |उत्तर: ख|
! B |उत्तर B नहीं है|
= B |सही उत्तर B है।|
= B |উত্তর: B|
= C |উত্তরঃ গ|
= B |সঠিক উত্তর হল B।|
= A |উত্তর: ক)|
! B |উত্তর B নয়|
= B |Jawaban: B|
= C |Jawaban yang benar adalah C.|
= D |Jawabannya adalah D|
! B |Jawaban bukan B|
! A |Jawaban: A atau B|
= B |Jibu: B|
= C |Jibu sahihi ni C.|
= B |Idahun: B|
= C |Ìdáhùn: C|
= D |Ìdáhùn tó tọ́ ni D|
= B |Ответ: Б|
= C |Ответ: С|
= B |Ответ: B|
= D |Правильный ответ — D.|
! B |Ответ: В|
! C |Ответ: В|
! A |Ответ: А или Б|
= A |Ответ: А|
= D |Правильный ответ: г|
! B |Ответ не B|
= B |Cevap: B|
= C |Doğru cevap C'dir.|
= B |Doğru yanıt B|
! B |Cevap B değil|
= B |Đáp án: B|
= C |Đáp án đúng là C.|
= D |Câu trả lời là D|
= B |คำตอบ: B|
= B |คำตอบคือ ข|
= C |คำตอบที่ถูกต้องคือ C|
= C |ตอบ ข้อ ค|
= B |Απάντηση: Β|
= C |Η σωστή απάντηση είναι Γ|
= B |תשובה: ב|
= C |התשובה היא ג|
= B |پاسخ: ب|
= A |جواب: الف|
= B |Antwoord: B|
= C |Het antwoord is C.|
= B |Odpowiedź: B|
= C |Prawidłowa odpowiedź to C.|
= B |Відповідь: Б|
= B |Svar: B|
= C |Răspuns: C|
= D |Odpověď: D|
= B |Válasz: B|
= A |Vastaus: A|
= B |விடை: B|
= C |సమాధానం: C|
! A |The answer is not A but B.|
= C |Final Answer: The final answer is C. I hope it is correct.|
= B |I'm going with B|
= D |It's option D|
= A |My answer: A|
= D |Correct answer: **D) text**|
= C |[[C]]|
= C |Answer: $\textbf{(C) }$|
= B |\boxed{\text{(B) 12}}|
= D |ANSWER: "D"|
= A |Thus the answer is choice (A).|
= D |The answer is D)|
= B |Choice: B|
= B |选项：B|
= B |答案选B|
= B |答案：(B)|
= B |B。|
! A |The correct answers are A and C|
= A |The answer is A, not B.|
! B |The answer is A, not B.|
= B |The answer is B rather than C|
! C |C or maybe D|
! D |C or maybe D|
! A |Either A or B|
! B |Either A or B|
! A |A; B|
! A |A & B|
= D |D (all of the above)|
! A |All of the above|
= D |Answer: All of the above (D)|
= C |Answer: C. None|
! T |Answer: True|
! C |Answer: Correct|
! B |The answer is in Section B.|
! A |Grade: A|
! A |I got an A|
! B |Team B won|
! A |Option A and option B|
! B |Option A and option B|
= C |Answer B is incorrect, so C.|
! B |Answer B is incorrect, so C.|
= B |Answer choice B is the correct one|
! N |The correct answer is not listed|
= C |Answer: C ✅|
= E |Answer: E|
! A |Answer: (A) (B)|
= B |Answer: option (b)|
= C |The answer is:⏎⏎(C)|
= C |the answer is likely C.|
= D |The answer is probably (D)|
! A |The answer could be A|
= A |Answer: a|
= A |Answer: (a) Paris|
= A |Answer: a)|
= B |Answer: b.|
! A |answer is a car|
= A |Answer: a, because|
= C |C|
= C |c|
= C |C!|
= C |C,|
= C |⏎C|
= C |C⏎|
= C |C;|
= C |"C. Paris"|
= C |'C'|
= C |(C) Paris is|
= C |C - Paris|
= C |C – Paris|
= C |C because Paris|
! C |C is big|
= C |Sure! The answer is C.|
= C |Sure, here is the answer: C|
= C |The correct option is (C) Paris.|
= C |Correct option: C|
= C |The correct letter is C|
= C |Step 1: A is a set. Step 2: B is empty.⏎The answer is C|
! B |Plan A fails. Plan B works.|
! B |Point A to point B|
! A |Let A be a matrix.|
! A |A = {1,2}|
= C |Answer: C⏎Explanation: A is wrong because B|
= C |Answer: C⏎⏎A is wrong.⏎B is wrong.|
= C |C⏎A is the first.|
= C |Answer: C. A is incorrect since it|
= C |The answer is C. D is wrong too.|
= C |The answer is C, D is wrong.|
= C |Ans. C|
= C |Answer. C|
= C |Answer (C)|
= C |Answer C|
= B |answer: option B) Paris|
= B |The answer's B.|
= D |the right answer would be D|
= D |The answer has to be D.|
= D |The answer ought to be D.|
= D |The final answer is therefore D.|
= D |So, the answer is: **D**|
= D |Hence, option (D) is correct.|
= D |Option D is right.|
= D |Therefore, D is the answer.|
= D |D is the best choice.|
= D |D is the right option|
= D |Answer: D) all of these|
= D |The answer is D (none).|
= D |Answer is (D) 5|
= D |Answer: D: 5|
= D |Answer: D, 5|
= D |**Answer**: D|
= D |__Answer:__ D|
= D |*Answer:* D|
= D |*Answer: D*|
= D |Answer: ***D***|
= D |> Answer: D|
= D |- Answer: D|
= D |1. Answer: D|
= D |Answer 1: D|
! D |Q1: D|
! A |The answer is between A and C|
! C |The answer is between A and C|
! A |Answers: A, C|
! A |Answer: A⏎B|
! A |Answer: A, B or C|
! A |Answer: A+B|
! A |Answer: AorB|
! A |I don't know. A?|
= C |Possibly A or B, but the answer is C|
= C |A? B? The answer is C|
! A |It is not A.|
= A |It is A.|
= A |It must be (A).|
! A |It can't be A.|
= C |The answer is C⏎⏎⏎⏎|
= C |<b>C</b>|
= C |<answer> C </answer>|
= C |<final>C</final>|
= C |{"choice":"C"}|
= C |{'answer': 'C'}|
= C |{"answer": "C. Paris"}|
! A |{"answer": ["A", "C"]}|
! I |{"answer":"I am not sure"}|
= B |Lösung: B|
! B |Die Antwort ist B oder C|
= B |Antwort B ist richtig.|
= B |Richtig ist B.|
= B |B ist richtig|
! B |B ist falsch|
= B |Ich wähle B.|
= B |La respuesta es: B)|
= B |Opción B|
= B |La alternativa correcta es B|
= B |La respuesta correcta es la opción B.|
= B |Respuesta final: B|
= B |B es la respuesta correcta|
! B |No es B|
= B |La respuesta es B porque A es falsa|
= B |La réponse est la lettre B|
= B |Réponse finale : B|
= B |La bonne réponse est donc B.|
= B |B est la bonne réponse|
! A |La réponse est à Paris|
= B |La risposta è la lettera B|
= B |Risposta finale: B|
= B |Letra B|
= B |Alternativa B|
= B |Alternativa correta: B|
= B |A alternativa correta é a B|
= B |A resposta certa é B|
= B |正确答案：B|
= B |正确答案是：B|
= B |所以答案是B|
= B |答案应该是 B|
= B |B选项正确|
= B |选项B正确|
= B |答：B|
= B |**答案：B**|
= B |答案：B。因为A错误|
! A |A选项错误|
! A |排除A|
= B |したがって、正解は B です。|
= B |正解：B|
= B |Bが正解です|
= B |選択肢B|
= B |したがって、答えはBとなります。|
= B |正しい答えはBです|
! B |Bは間違いです|
= B |따라서 정답은 B이다.|
= B |정답은 B번입니다|
= B |**정답: B**|
= B |B가 정답입니다|
! B |B는 틀렸다|
= B |최종 답변: B|
= B |الإجابة الصحيحة هي (ب).|
= B |الخيار ب|
= C |إجابة: C|
= D |الجواب الصحيح هو: د|
= B |ب|
= B |(ب)|
= B |ب) باريس|
! B |الإجابة هي باريس|
= B |सही विकल्प B है|
= B |उत्तर है (B)|
= B |उत्तर: (ख) दिल्ली|
= B |विकल्प B|
= B |ख|
! B |उत्तर: खरगोश|
= B |সঠিক উত্তর: (খ)|
= B |খ|
! B |উত্তর: খরগোশ|
= C |উত্তর: গ) ঢাকা|
= B |Pilihan B|
= B |Jawaban akhir: B|
= B |Jadi, jawabannya adalah B.|
= B |Jawabannya B|
= B |Jawaban yang tepat adalah B|
= B |Jibu ni B|
= B |Jibu sahihi: B|
= B |Jibu la mwisho: B|
! B |Jibu si B|
= B |Ìdáhùn náà ni B|
= B |Ответ: (Б)|
= B |Правильный ответ: B|
= C |Верный ответ: C|
= D |Ответ — Г|
= B |Ответ: Б) Москва|
= A |Ответ: А.|
= B |Правильный вариант: B|
= B |Вариант B|
! M |Ответ: Москва|
! I |Ответ: я не знаю|
= B |Doğru cevap: B|
= B |Cevap: B şıkkı|
= C |Yanıt: C|
= B |Đáp án là B.|
= B |Chọn B|
= B |Vậy đáp án đúng là B|
! B |Đáp án không phải B|
= B |คำตอบที่ถูกต้องคือ ข.|
= B |ข้อ ข|
= B |ข|
! A |Let us look at each option:⏎⏎A. It is 5.⏎It is too small.|
! C |The solution is c(x) = 5|
! H |The impulse response h(t) is 5|
! D |There is no selection (D) in drift|
! C |We can use it to get an answer. c) The number is 5|
! A |The answer is:⏎(a) 5 m/s,⏎(b) 6 m/s|
! I |The correct options are (i) and (iii).|
= E |The answer to (a) is closest to it.⏎⏎The answer is (E).|
= H |(a) We find it.⏎(b) So the answer is:⏎\[ \text{The answer is (H)} \]|
! H |The answer is H(x) = 5|
= C |Answer:⏎c|
= C |Solution: C|
"""


def letter_pairs() -> list[tuple[str, str, bool]]:
    """Answer, reference, and whether they are the same."""
    pairs = []
    for line in PAIRS.strip().split("\n"):
        sign, reference, shown = line.split(" ", 2)
        text = (
            shown[1:-1].replace("⏎", "\n").replace("⟨zwsp⟩", "\u200b").replace("⟨nbsp⟩", "\u00a0")
        )
        pairs.append((text, reference, sign == "="))
    return pairs

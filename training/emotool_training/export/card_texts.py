"""Fixed texts of model cards."""

__all__ = [
    "ACTED",
    "LIMITS",
    "OWN",
    "PARTLY_ACTED",
    "PROTOCOLS",
    "PROTOCOLS_OF_UNKNOWN",
    "UNTESTED",
    "UNTESTED_OWN",
]


PROTOCOLS = {
    "adapted": "the clips it was adapted to, each speaker by a head fitted to the others",
    "another_corpus": "another corpus (unseen in training): what to expect of other recordings",
    "another_corpus_own_statistics": "another corpus, features half adapted to its statistics",
    "new_speakers": "new speakers",
    "random_clips": "random clips (**not comparable: speakers shared** between training and test)",
    "validation": "the validation speakers (**optimistic**: temperature, and maybe the epoch, were "
    "chosen on them)",
}
"""What each protocol tests, the hardest first."""


PROTOCOLS_OF_UNKNOWN = {
    "adapted": "the clips it was adapted to, each by a head fitted to others (**optimistic**: "
    "speakers unknown, and perhaps shared)",
    "random_clips": "random clips (**not comparable: speakers unknown**, and perhaps shared "
    "between training and test)",
    "validation": "the validation clips (**optimistic**: temperature, and maybe the epoch, were "
    "chosen on them; speakers unknown)",
}
"""The same where clips have no speaker."""


LIMITS = """\
For sorting and searching recordings of speech, for teaching and for research on corpora.
Where a label matters, a person should listen to the clip.

{speech}
- A label is how a clip *sounds to a model*, not what a person feels. Do not use it to assess
  people, their honesty, health or fitness for anything.
- In the European Union, inferring emotions of people at work or in education is forbidden
  (AI Act, Regulation (EU) 2024/1689, Art. 5(1)(f)), except for medical and safety reasons.
{untested}
- It gives one of its labels to any input: music, noise, another emotion.
"""


ACTED = """\
- It was trained on **acted** speech. Spontaneous emotion is quieter and mixed; accuracy there
  is unknown, and probably lower."""


PARTLY_ACTED = """\
- Part of its training data ({acted}) is **acted** speech. Spontaneous emotion is
  quieter and mixed."""


OWN = """\
- It was trained on clips outside the known corpora ({own}): ask the model's author whether
  their speech is acted or spontaneous, and who labelled it."""


UNTESTED = """\
- Languages, accents and recording conditions beyond the corpora above are untested;
  there are no children's voices."""


UNTESTED_OWN = """\
- Languages, accents, ages and recording conditions beyond the corpora above are untested."""

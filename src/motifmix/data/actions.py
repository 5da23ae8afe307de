"""Which actions a sentence names: tags for the classes that judges learn, and the ground of the caption rule.

A tag stands for a family of words (``walk``: walks, strolls, creeps forward, ...). ``CONTINUOUS`` tags are actions
that look the same from any window of a few seconds: gaits, dancing, boxing, sawing, playing the violin.
"""

import re
from functools import cache

# Order matters where one phrase holds another: the first match takes the words away from those behind.
_FAMILIES: tuple[tuple[str, str], ...] = (
    ("jumping jack", r"jumping jacks?"),
    ("cartwheel", r"cart ?wheels?"),
    ("handstand", r"hand ?stands?|headstands?"),
    ("flip", r"\w*flips?\b(?! cleaned)|handsprings?|hand springs?|flic flac|somersaults?|summersults?"),
    ("moonwalk", r"moonwalks?"),
    ("swim",
     r"swim\w*|breast ?stroke|back ?stroke|butterfly|free ?style(?! dribble)|crawl movements|"
     r"(?:the|front) crawl\b"),
    ("crawl", r"crawl(?:s|ing|ed)?|on all fours"),
    ("gesture",
     r"gestur\w*|(?:the )?hand signals?(?: of a basketball referee)?|basketball signals|"
     r"directs? traffic|signals\b"),
    ("dance",
     r"danc\w*|ballet|salsa|macarena|charleston|lambada|lindy ?hop\w*|pirouettes?|arabesques?|"
     r"breakdanc\w*|break ?danc\w*"),
    ("kick", r"kick(?:s|ing|ed)?\b|kickbox\w*|geri\b|\w+geri\b"),
    ("punch", r"punch\w*|oiduki"),
    ("box", r"box(?:es|ing)\b"),
    ("karate", r"karate|kata\b|martial arts|empi\b|heian\w*"),
    ("fight", r"fight\w*|attack(?:s|ing)?\b|fencing"),
    ("march", r"march(?:es|ing)?\b"),
    ("skip", r"skip(?:s|ping)?\b"),
    ("hop", r"hop(?:s|ping|ped)?\b|hopscotch"),
    ("jump", r"jump\w*|leap\w*|jetes?"),
    ("run", r"run(?:s|ning)?\b|jog(?:s|ging)?\b|sprint\w*|running\w+"),
    ("climb",
     r"climb\w*|up (?:and down )?(?:the |some )?(?:stairs|ladder|steps)|upstairs|downstairs|"
     r"(?:down|over) (?:the )?stairs"),
    ("step",
     r"sidesteps?|side ?step(?:s|ping)?|(?:step(?:s|ping)?) (?:over|up|down|onto|on|aside|to the|forward|backwards?|right|left)|"
     r"(?:one|a|large|short|medium|big|huge) (?:\w+ ){0,3}step\b"),
    ("balance", r"balanc\w*|balac\w*|on one leg"),
    ("walk",
     r"walk\w*|wakling|waling|wolk|stroll\w*|wander\w*|hobbl\w*|limp(?:s|ing)?\b|creep\w*|"
     r"sneak\w*|lurk\w*|tiptoe|stagger\w*|strut\w*|pacing|shuffl\w*|mop(?:es|ing)\b|navigate|"
     r"steps?\b|goes (?:forward|backwards?|back|around|ahead)|going (?:forward|backwards?)|"
     r"mov(?:es|ing) (?:slowly |carefully |straight )?(?:forward|backwards?)|follows a path"),
    ("sit", r"sit(?:s|ting)?\b|seat\b"),
    ("lie", r"l(?:ie|ies|ying|ays?|aying)\b(?! an? )"),
    ("stand up", r"st(?:and|ands|anding) up|gets? up|getting up|stand\w* up"),
    ("lunge", r"lung(?:e|es|ing)\d*\b|squats\b"),
    ("crouch", r"crouch\w*|squat\w*|hunker\w*|knee bend\w*|kneel\w*"),
    ("duck", r"duck(?:s|ing)?\b"),
    ("roll", r"roll(?:s|ing)?\b|rolls? over"),
    ("fall", r"fall(?:s|ing)?\b|stumbl\w*"),
    ("turn", r"turn(?:s|ing|ed)?\b|spin(?:s|ning)?\b|twirl\w*|whirl\w*|pivot\w*|rotat\w*"),
    ("wave", r"wav(?:e|es|ing)\b"),
    ("clap", r"clap\w*"),
    ("bow", r"bows?\b(?! and arrow)|curtse\w*"),
    ("shake hands", r"shak(?:e|es|ing) hands|hand ?shake|high fives?|low fives?"),
    ("drink", r"drink\w*|drank|sip(?:s|ping)?\b|gulps?"),
    ("eat", r"eat(?:s|ing)?\b"),
    ("wash", r"wash\w*|wip(?:e|es|ing)\b|shower\b|clean(?:s|ing)\b"),
    ("sweep", r"sweep\w*|(?:a )?(?:push(?:ing)? )?broom|vacuum\w*|rak(?:e|es|ing)\b"),
    ("throw", r"throw\w*|toss\w*|pitch\b"),
    ("catch", r"catch\w*"),
    ("pick up", r"pick(?:s|ing|ed)?\b(?: \w+){0,3} up|pick(?:s|ing)? up|pick(?:s|ing)?\b"),
    ("lift", r"lift\w*|rais(?:e|es|ing)\b"),
    ("carry", r"carr(?:y|ies|ying)\b"),
    ("push", r"push\w*"),
    ("pull", r"pull(?:s|ing|ed)?\b"),
    ("reach", r"reach\w*|grab\w*"),
    ("stretch", r"stretch\w*|yawn\w*|strech\w*"),
    ("warm up", r"warm\w* up|warm-up|range of motion|rangeofmotion"),
    ("yoga", r"yoga|sun salutation"),
    ("tai chi", r"tai chi"),
    ("swing", r"swing(?:s|ing)?\b"),
    ("dribble", r"dribbl\w*|bounc\w+ (?:\w+ )?basketball|basketball\b"),
    ("golf", r"golf"),
    ("hit", r"hammer\w*|bang(?:s|ing)?\b|swat\w*|smash\w*|knock\w*|chop\w*|strik\w*"),
    ("work",
     r"saw(?:s|ing)?\b|screw\w*|unscrew\w*|sew(?:s|ing)?\b|dig(?:s|ging)?\b|mix(?:es|ing)?\b|"
     r"slic\w+|paint\w*|writ(?:e|es|ing)\b|typ(?:e|es|ing)\b|row(?:s|ing)?\b|fish(?:es|ing)\b|"
     r"brush\w*|comb(?:s|ing)?\b|coil\w*|tighten\w*|stirr\w*"),
    ("play music", r"play(?:s|ing)? (?:the |an )?(?:violin|drums?|piano|instrument)|violin|drumming|conduct\w*"),
    ("phone", r"phone"),
    ("search", r"search\w*|look(?:s|ing)? (?:around|for)|explor\w*"),
    ("imitate", r"moves like|acts like|imitat\w*|human subject|acts? as"),
    ("point", r"point(?:s|ing)?\b"),
    ("bend", r"bend(?:s|ing)?\b|bent\b"),
    ("put on", r"put(?:s|ting)? on|opens?\b|opening\b|clos(?:es|ing)\b|hang(?:s|ing)? (?:up )?(?:a )?picture"),
    ("shoot", r"shoot\w*|shoots\b"),
    ("act", r"acts?\b|laugh\w*|cr(?:y|ies|ying)\b|argu\w*|quarrel\w*|whistl\w*|shrug\w*"),
    ("wait", r"wait(?:s|ing)?\b|idl\w+"),
    ("stand", r"st(?:and|ands|anding)\b|pose\b|stance\b"),
)  # fmt: skip

CONTINUOUS = frozenset({
    "walk", "run", "march", "jump", "hop", "skip", "dance", "swim", "crawl", "moonwalk", "box", "punch", "kick",
    "jumping jack", "wash", "sweep", "work", "play music", "dribble", "imitate", "gesture", "balance",
    "stand", "yoga", "stretch", "warm up", "swing", "fight", "karate", "hit", "search", "wave", "lunge", "tai chi", "act",
    "wait",
})  # fmt: skip

# Done once in a short take, again and again in a long one: a window of a short take may miss it.
ONCE_IN_A_SHORT_TAKE = frozenset({
    "jump", "hop", "kick", "punch", "hit", "swing", "stretch", "warm up", "wave", "lunge", "fight", "karate", "act",
    "work", "gesture", "jumping jack", "search",
})  # fmt: skip

GAITS = frozenset({"walk", "run", "march", "jump", "hop", "skip", "moonwalk", "crawl"})

# Words of manner that need no family of their own beside a gait: "walks bent over", "walks with the arms out".
_MANNER = frozenset(
    {"bend", "balance", "crouch", "stand", "act", "point", "swing", "imitate", "search", "lift", "carry"}
)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((tag, re.compile(rf"\b(?:{words})", re.IGNORECASE)) for tag, words in _FAMILIES)


def actions(text: str) -> tuple[str, ...]:
    """Return the tags of the actions that a sentence names, in the order in which it names them."""
    found: list[tuple[int, str]] = []
    rest = re.sub(r"(?<=[a-z])(?=[A-Z])|_|(?<=[a-z])\d+", " ", text)
    for tag, pattern in _patterns():
        match = pattern.search(rest)
        if match:
            found.append((match.start(), tag))
            rest = pattern.sub(lambda m: " " * len(m.group()), rest)
    return tuple(tag for _, tag in sorted(found))


def main_actions(text: str) -> tuple[str, ...]:
    """Return the tags without those that only colour a gait or a dance (bent over, arms out, balancing)."""
    tags = actions(text)
    if any(tag in GAITS or tag == "dance" for tag in tags):
        tags = tuple(tag for tag in tags if tag not in _MANNER)
    elif "imitate" in tags:
        tags = ("imitate",)
    if len(tags) > 1:
        tags = tuple(tag for tag in tags if tag not in {"bend", "act"}) or tags[:1]
    if "dance" in tags:  # a dance is made of turns, leaps and kicks
        tags = tuple(tag for tag in tags if tag not in {"turn", "jump", "step", "kick", "hop"})
    if "karate" in tags or "box" in tags:
        tags = tuple(tag for tag in tags if tag not in {"punch", "kick", "fight"})
    return tags

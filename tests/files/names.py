"""Two hundred fictional people: the commonest and the rarest family names of Japan, and names from elsewhere.

Family names as such belong to nobody; no combination here is a person.
"""

from ivr.person import Person

#: The forty commonest.
COMMON = (
    *("佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤"),
    *("吉田", "山田", "佐々木", "山口", "松本", "井上", "木村", "林", "斎藤", "清水"),
    *("山崎", "森", "池田", "橋本", "阿部", "石川", "山下", "中島", "石井", "小川"),
    *("前田", "岡田", "長谷川", "藤田", "後藤", "近藤", "村上", "遠藤", "青木", "坂本"),
)
#: Sixty rare ones and rare forms: JIS X 0213, beyond it, forms that only a variation selector tells apart (IVS), old
#: forms that Unicode keeps as compatibility kanji.
RARE = (
    *("𠮷田", "𠮷野家", "髙橋", "髙島", "﨑山", "山﨑", "濵田", "濱﨑", "渡邉", "渡邊"),
    *("邊見", "邉見", "齋藤", "齊藤", "德永", "德川", "淸水", "廣瀨", "瀨戸", "桒原"),
    *("桒名", "栁田", "栁澤", "鷗外", "彅野", "草彅", "堺井", "梔子", "鯔谷", "纐纈"),
    *("鑓水", "毉師", "躑躅森", "一尺八寸", "四月一日", "八月一日", "勘解由小路", "東坊城", "左衛門三郎", "月見里"),
    *("小鳥遊", "栗花落", "五百旗頭", "鴨脚", "舎利弗", "𪚲見本", "𡈽屋", "𡈽田", "𣘺本", "𣘺爪"),
    *(
        "葛\U000e0100城",
        "葛\U000e0101西",
        "辻\U000e0101村",
        "祇\U000e0100園",
        "\ufa19谷",
        "\ufa1a田",
        "\ufa1b島",
        "\ufa10本",
    ),
    *("鄕田", "𩸽野"),
)
VIETNAMESE = (
    *("Nguyễn Văn An", "Trần Thị Bích", "Lê Hữu Đức", "Phạm Quỳnh Như", "Hoàng Thị Tuyết", "Võ Ngọc Ánh"),
    *("Đặng Thị Hường", "Bùi Xuân Phước", "Đỗ Thị Mỹ", "Ngô Đình Thượng", "Dương Thị Lệ Thủy", "Lý Gia Hưng"),
)
NEPALI = (
    *("राम बहादुर श्रेष्ठ", "सीता अर्\u200dयाल", "गीता तामाङ", "कृष्ण प्रसाद शर्मा", "Bishnu Maya Tamang"),
    *("Ram Bahadur Shrestha", "Sunita Gurung", "Prakash Adhikari", "Laxmi K.C.", "Dil Kumari Rai"),
)
CHINESE = (
    *("张伟", "王芳", "刘洋", "陈静", "杨丽华", "赵国强", "黃淑芬", "吳志明", "周杰", "徐丽"),
    *("孙秀英", "马超", "郭婷", "何勇", "罗敏", "梁艳", "宋涛", "郑爽", "谢霆", "韩雪"),
)
PORTUGUESE = (
    *("João da Silva", "Conceição Araújo", "Antônio Gonçalves", "Inês Magalhães", "José D'Ávila", "Tânia Corrêa"),
    *("Luís Otávio Tanaka", "Márcia Yumi Sato", "Fábio Simões", "Verônica Falcão"),
)
_GIVEN = (("花子", "ハナコ"), ("太郎", "タロウ"), ("幸子", "サチコ"), ("一郎", "イチロウ"))
_OTHERS = (*VIETNAMESE, *NEPALI, *CHINESE, *PORTUGUESE)


def _people() -> tuple[Person, ...]:
    names = [
        (f"{family} {_GIVEN[at % 4][0]}", f"ミホン {_GIVEN[at % 4][1]}") for at, family in enumerate(COMMON + RARE)
    ]
    names += [(f"{family}　{_GIVEN[at % 4][0]}", "レイブン") for at, family in enumerate(RARE[:48])]
    names += [(each, "ガイコク") for each in _OTHERS]
    return tuple(
        Person(f"{200_001 + at}", name, kana, (f"0900{at:07}",), ("morning",)) for at, (name, kana) in enumerate(names)
    )


PEOPLE = _people()

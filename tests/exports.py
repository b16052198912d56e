"""Files in the layouts of Nexis Uni, Factiva, ProQuest, Zotero, Media Cloud, GDELT and web archives.

The layouts are those products'; every outlet, person, number and sentence in them is invented.
"""

import html
import json
import zipfile
from datetime import date

ARTICLES = [
    {
        "outlet": "The Invented Herald",
        "date": date(2019, 3, 4),
        "title": "Minister wants keys to every invented messenger",
        "author": "By Ada Example",
        "section": "NEWS; Pg. 12",
        "text": [
            "The home office of an invented country wants messengers to keep a key. “Nobody is above the law,” said "
            "its minister, Bo Sample, on Monday.",
            "Engineers answered that a key for one is a key for all. Their café talk — naïve, they called the plan — "
            "was recorded by no one, since none of it took place.",
            "Location: the minister spoke in a hall that does not exist, before sixty guests who do not either.",
        ],
    },
    {
        "outlet": "Example Wire",
        "date": date(2019, 12, 31),
        "title": "Charity asks invented firm to scan pictures",
        "author": None,
        "section": "BUSINESS",
        "text": [
            "A charity that was made up for this file asks a firm, also made up, to look for known pictures of abuse "
            "on its servers. The firm declined to comment, as invented firms do.",
            "Prices rose by 5% {in braces} and fell again \\ after a back slash, an ampersand & a <tag>.",
        ],
    },
    {
        "outlet": "The Invented Herald",
        "date": date(2020, 2, 29),
        "title": "Leap day brings leap of faith, invented judge rules",
        "author": "By C. D. Madeup and E. Fictional",
        "section": None,
        "text": ["A judge who has never sat ruled on a case that was never brought. It was 29 February, and raining."],
    },
]


def words(article):
    return sum(len(p.split()) for p in article["text"])


def american(day):
    return f"{day:%B} {day.day}, {day.year}"


def british(day):
    return f"{day.day} {day:%B} {day.year}"


def accession(i, article):
    return f"Document INVH000020190304ef{i:05d}x"


def nexis_lines(articles=ARTICLES):
    """Lines of a Nexis Uni download with its cover, as paragraphs."""
    yield from ["User Name: = Invented User", "Date and Time: = Tuesday, April 2, 2024 9:15:00 AM BST",
                "Job Number: = 000000000", "", f"Documents ({len(articles)})", ""]  # fmt: skip
    for i, article in enumerate(articles, 1):
        yield from [f"{i}. {article['title']}", "Client/Matter: -None-", "Search Terms: encryption",
                    "Search Type: Natural Language",
                    "Narrowed by:", "Content Type", "Narrowed by", "News", "-None-", ""]  # fmt: skip
    for article in articles:
        yield from [
            "",
            article["title"],
            article["outlet"],
            f"{american(article['date'])} {article['date']:%A} 10:30 PM GMT",
            "",
        ]
        yield from [f"Copyright {article['date'].year} Invented Press All Rights Reserved", ""]
        if article["section"]:
            yield f"Section: {article['section']}"
        yield f"Length: {words(article)} words"
        if article["author"]:
            yield f"Byline: {article['author']}"
        yield from ["Highlight: An invented standfirst.", "Body", ""]
        for paragraph in article["text"]:
            yield from [paragraph, ""]
        yield from ["Graphic", "", "An invented picture", "Classification", "", "Language: ENGLISH", "",
                    "Publication-Type: Newspaper", "", "Subject: ENCRYPTION (90%)", "",
                    f"Load-Date: {american(article['date'])}", "", "End of Document", ""]  # fmt: skip


def docx(path, lines, prolog='<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'):
    """A .docx file with one paragraph a line, split over two runs as Word does."""
    paragraphs = []
    for line in lines:
        runs = "".join(
            f'<w:r><w:t xml:space="preserve">{html.escape(p, quote=False)}</w:t></w:r>'
            for p in (line[:7], line[7:])
            if p
        )
        paragraphs.append(f"<w:p>{runs}</w:p>")
    body = (
        f'{prolog}<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body>{''.join(paragraphs)}</w:body></w:document>"
    )
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    return zipped(path, {"[Content_Types].xml": types, "word/document.xml": body})


def zipped(path, parts):
    """A ZIP file that is the same in every run."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return path


def rtf_escape(text):
    out = []
    for sign in text:
        if sign in "\\{}":
            out.append("\\" + sign)
        elif ord(sign) < 128:
            out.append(sign)
        elif ord(sign) < 256:
            out.append(f"\\'{ord(sign):02x}")
        else:
            out.append(f"\\u{ord(sign) if ord(sign) < 32768 else ord(sign) - 65536}?")
    return "".join(out)


def rtf(path, lines):
    head = (
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\froman Times;}}{\colortbl;\red0\green0\blue0;}"
        r"{\info{\title Invented}}{\*\generator Invented 1.0;}{\header Running head\par}" + "\n"
    )
    link = r"{\field{\*\fldinst HYPERLINK " + '"https://invented.example/x"' + r"}{\fldrslt %s}}\par" + "\n"
    body = "".join(
        link % rtf_escape(x) if i == 7 else rf"\pard {rtf_escape(x)}\par" + "\n" for i, x in enumerate(lines)
    )
    path.write_bytes((head + body + "}").encode("ascii"))
    return path


def lexis_old(path, articles=ARTICLES):
    """The text file of the older LexisNexis, hard-wrapped."""
    import textwrap

    out = []
    for i, article in enumerate(articles, 1):
        out += [f"{' ' * 30}{i} of {len(articles)} DOCUMENTS", "", "", article["outlet"].center(70), "",
                american(article["date"]).center(70),
                "Late Edition - Final".center(70), "", article["title"], ""]  # fmt: skip
        out += [f"BYLINE: {article['author']}", ""] if article["author"] else []
        out += [f"SECTION: {article['section']}", ""] if article["section"] else []
        out += [f"LENGTH: {words(article)} words", "", ""]
        for paragraph in article["text"]:
            out += [*textwrap.wrap(paragraph, 70), ""]
        out += ["LOAD-DATE: March 5, 2019", "", "LANGUAGE: ENGLISH", "", "PUBLICATION-TYPE: Newspaper", "", "",
                f"Copyright {article['date'].year} Invented Press".center(70), ""]  # fmt: skip
    path.write_text("\n".join(out), encoding="utf-8")
    return path


def factiva_display(articles=ARTICLES):
    """Lines of Factiva's plain display."""
    for i, article in enumerate(articles):
        yield from [article["section"] or "", article["title"]]
        yield from [article["author"]] if article["author"] else []
        yield from [f"{words(article)} words", british(article["date"]), "10:32", article["outlet"], "INVH", "English",
                    f"Copyright {article['date'].year} Invented Press. All rights reserved.", ""]  # fmt: skip
        yield from article["text"]
        yield from ["", accession(i, article), ""]


def factiva_rtf_fields(path, articles=ARTICLES):
    """Factiva's RTF with fields ("Full Article/Report plus Indexing"), a table row a field."""
    out = [r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}"]
    for i, article in enumerate(articles):
        lead, *rest = article["text"]
        fields = {"HD": article["title"], "BY": article["author"], "WC": f"{words(article)} words",
                  "PD": british(article["date"]),
                  "ET": "10:32", "SN": article["outlet"], "SC": "INVH", "SE": article["section"], "LA": "English",
                  "CY": "Copyright Invented Press", "LP": lead}  # fmt: skip
        rows = [(k, rtf_escape(v)) for k, v in fields.items() if v]
        rows += [("TD", r"\par ".join(map(rtf_escape, rest)))] if rest else []
        rows += [("NS", "ccat : Invented news"), ("AN", accession(i, article))]
        out += [rf"\trowd\cellx1000\cellx9000\pard\intbl\b {k}\b0\cell {v}\cell\row" for k, v in rows]
    path.write_bytes("\n".join([*out, "}"]).encode("ascii"))
    return path


def factiva_html(path, articles=ARTICLES, table=False):
    out = ["<html><head><meta http-equiv='Content-Type' content='text/html; charset=UTF-8'><title>Factiva</title>"
           "<script>window.invented = 1;</script></head><body>"]  # fmt: skip
    for i, article in enumerate(articles):
        text = "".join(
            f'<p class="articleParagraph enarticleParagraph">{html.escape(p)}\n</p>' for p in article["text"]
        )
        number = accession(i, article)
        out.append(f'<div id="article-{number[9:]}" class="article"><div class="article enArticle">')
        if table:
            cells = {"HD": f"<span class='enHeadline'>{html.escape(article['title'])}</span>",
                     "BY": article["author"], "WC": f"{words(article)} words",
                     "PD": british(article["date"]), "SN": article["outlet"], "SE": article["section"],
                     "LA": "English", "LP": text,
                     "AN": number}  # fmt: skip
            out.append(
                "<table>"
                + "".join(
                    f"<tr><td class='index'><b>{k}</b>&nbsp;</td><td>{v}</td></tr>" for k, v in cells.items() if v
                )
                + "</table>"
            )
        else:
            byline = f"<div class='author'>{article['author']}</div>" if article["author"] else ""
            lines = [
                f"{words(article)} words",
                british(article["date"]),
                "10:32",
                article["outlet"],
                "INVH",
                "English",
                "(c) 2019 Invented Press",
            ]
            out.append(f"<div id='hd'><span class='enHeadline'>{html.escape(article['title'])}</span></div>{byline}")
            out.append("".join(f"<div>{line}</div>" for line in lines) + text + f"<p>{number}</p>")
        out.append("</div></div><br/><span></span>")
    path.write_text("".join(out) + "</body></html>", encoding="utf-8")
    return path


def proquest(path, articles=ARTICLES):
    out = ["_" * 60, "", "Report Information from ProQuest", "April 02 2024 09:15", ""]
    for i, article in enumerate(articles, 1):
        out += ["_" * 60, "", f"Document {i} of {len(articles)}", "", article["title"], ""]
        out += [f"Author: {article['author'][3:]}", ""] if article["author"] else []
        out += [f"Publication info: {article['outlet']} ; Inventown [Inventown]{american(article['date'])}.", "",
                "Abstract: None available.", "",
                "Links: https://invented.example/resolver", ""]  # fmt: skip
        first, *rest = article["text"]
        out += [f"Full text: {first}", ""]
        for paragraph in rest:
            out += [paragraph, ""]
        out += ["Subject: Encryption; Children & youth", "", f"Title: {article['title']}", "",
                f"Publication title: {article['outlet']}", "",
                f"Publication year: {article['date'].year}", "",
                f"Publication date: {article['date']:%b} {article['date'].day}, {article['date'].year}", "",
                "Publisher: Invented Press", "", "Source type: Newspapers", "", "Language of publication: English", "",
                "Document type: News", "", f"ProQuest document ID: 99000000{i}", "",
                f"Document URL: https://invented.example/docview/99000000{i}", "",
                "Copyright: Copyright Invented Press", "",
                "Last updated: 2024-01-01", "", "Database: Invented Newsstream", ""]  # fmt: skip
    out += [
        "_" * 60,
        "",
        "Contact us at: http://invented.example",
        "",
        "Terms and Conditions: https://invented.example/terms",
    ]
    path.write_text("\r\n".join(out), encoding="utf-8")
    return path


def ris(path, articles=ARTICLES):
    out = []
    for i, article in enumerate(articles, 1):
        out += ["TY  - NEWS", f"T1  - {article['title']}",
                *([f"AU  - {article['author'][3:]}"] if article["author"] else []),
                f"Y1  - {article['date']:%Y/%m/%d/}", f"JF  - {article['outlet']}", f"N2  - {article['text'][0]}",
                f"UR  - https://invented.example/docview/{i}", f"AN  - 88000{i}", "LA  - English", "ER  - ",
                ""]  # fmt: skip
    path.write_text("\r\n".join(out), encoding="utf-8")
    return path


def csl(path, articles=ARTICLES):
    items = [
        {"id": f"http://zotero.org/users/0/items/INV{i}", "type": "article-newspaper", "title": a["title"],
         "container-title": a["outlet"],
         "URL": f"https://invented.example/{i}", "language": "en", "author": [{"family": "Example", "given": "Ada"}],
         "issued": {"date-parts": [[str(a["date"].year), a["date"].month, a["date"].day][: 3 - i]]}}
        for i, a in enumerate(articles)
    ]  # fmt: skip
    path.write_text(json.dumps(items, indent="\t"), encoding="utf-8")
    return path


def mediacloud(path, articles=ARTICLES):
    out = ["id,indexed_date,language,media_name,media_url,publish_date,title,url"]
    site = "invented{0}.example,invented{0}.example".format
    out += [f"{i:064x},2024-04-02 09:15:00.123456,en,{site(i)},{a['date']},\"{a['title']}\",https://invented.example/{i}"
            for i, a in enumerate(articles, 1)]  # fmt: skip
    path.write_text("\n".join(out) + "\n", encoding="utf-8")
    return path


def gdelt_csv(path, articles=ARTICLES):
    out = ["URL,MobileURL,Date,Title"]
    out += [f'https://invented.example/{i},,{a["date"]} 09:15:00,"{a["title"]}"' for i, a in enumerate(articles)]
    path.write_text("\ufeff" + "\n".join(out) + "\n", encoding="utf-8")
    return path


def gdelt_json(path, articles=ARTICLES):
    items = [{"url": f"https://invented.example/{i}", "url_mobile": "", "title": a["title"],
             "seendate": f"{a['date']:%Y%m%d}T091500Z",
              "socialimage": "", "domain": "invented.example", "language": "English", "sourcecountry": "United Kingdom"}
             for i, a in enumerate(articles)]  # fmt: skip
    path.write_text(json.dumps({"articles": items}), encoding="utf-8")
    return path


def page(article=ARTICLES[0], lang="en"):
    """A web page with what stands around an article, as bytes."""
    paragraphs = "".join(f"<p>{html.escape(p)}</p>" for p in article["text"] * 3)
    return (
        f"<!DOCTYPE html><html lang={lang}><head><meta charset=utf-8>"
        f"<title>{html.escape(article['title'])} | {article['outlet']}</title>"
        f"<meta property='og:site_name' content='{article['outlet']}'>"
        f"<meta property='article:published_time' content='{article['date']}T09:15:00Z'>"
        f"<link rel=canonical href='https://invented.example/{article['date']}'></head>"
        f"<body><nav><a href=/>Home</a></nav><article><h1>{html.escape(article['title'])}</h1>{paragraphs}</article>"
        "<footer>We use cookies.</footer></body></html>"
    ).encode()


def mhtml(path, article=ARTICLES[0]):
    import base64

    head = ("From: <Saved by Blink>\r\nSnapshot-Content-Location: https://invented.example/saved\r\n"
            "Subject: Invented\r\n"
            "MIME-Version: 1.0\r\nContent-Type: multipart/related; type=\"text/html\"; boundary=\"--x\"\r\n\r\n"
            "----x\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n")  # fmt: skip
    path.write_bytes(head.encode() + base64.encodebytes(page(article)) + b"\r\n----x--\r\n")
    return path


def warc_record(url, body, status="200 OK", mime="text/html; charset=utf-8", encoding=None, gz=True):
    """A response record of WARC 1.0, packed as a member of its own."""
    import gzip

    extra = f"Content-Encoding: {encoding}\r\n" if encoding else ""
    block = f"HTTP/1.1 {status}\r\nContent-Type: {mime}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body
    head = (f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2024-04-02T09:15:00Z\r\n"
            f"WARC-Record-ID: <urn:uuid:{len(body):032x}>\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(block)}\r\n\r\n").encode()  # fmt: skip
    record = head + block + b"\r\n\r\n"
    return gzip.compress(record, mtime=0) if gz else record


def warc(path, articles=ARTICLES, gz=True):
    """Three pages, the first of them twice, one that is not there and a picture."""
    records = [
        (f"https://invented.example/{i % len(articles)}", page(a)) for i, a in enumerate([*articles, articles[0]])
    ]
    data = b"".join(warc_record(url, body, gz=gz) for url, body in records)
    data += warc_record("https://invented.example/no", b"x", status="404 Not Found", gz=gz)
    path.write_bytes(data + warc_record("https://invented.example/picture", b"x", mime="image/png", gz=gz))
    return path


def pdf(path, lines, per_page=45):
    """A PDF with a text layer in Latin-1, one page for every 45 lines."""
    lines = [line.replace("“", '"').replace("”", '"').replace("—", "-") for line in lines]
    pages = [lines[i : i + per_page] for i in range(0, len(lines), per_page)] or [[]]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = ["<< /Type /Catalog /Pages 2 0 R >>",
               f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
               "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"]  # fmt: skip
    for i, part in enumerate(pages):
        shown = "".join(
            f"({line.replace(chr(92), chr(92) * 2).replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj T*\n"
            for line in part
        )
        stream = f"BT /F1 9 Tf 12 TL 40 800 Td\n{shown}ET"
        objects += [f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * i} 0 R "
                    "/Resources << /Font << /F1 3 0 R >> >> >>",
                    f"<< /Length {len(stream.encode('latin-1', 'replace'))} >>\nstream\n{stream}\nendstream",
                    ]  # fmt: skip
    out, places = b"%PDF-1.4\n", []
    for i, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{i} 0 obj\n{body}\nendobj\n".encode("latin-1", "replace")
    table = "".join(f"{p:010d} 00000 n \n" for p in places)
    size, start = len(objects) + 1, len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n".encode()
    out += f"<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(out)
    return path


def excel(path, articles=ARTICLES):
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Headline", "Publication", "Publication Date", "Full Text", "Number"])
    for i, a in enumerate(articles):
        sheet.append([a["title"], a["outlet"], a["date"], "\n\n".join(a["text"]), i])
    book.create_sheet("Notes").append(["invented"])
    book.save(path)
    return path


def every(folder):
    """One file of each layout, in `folder`; name to path."""
    import textwrap

    folder.mkdir(parents=True, exist_ok=True)
    wrapped = [part for line in nexis_lines() for part in (textwrap.wrap(line, 95) or [""])]
    (folder / "page.html").write_bytes(page())
    (folder / "plain.txt").write_text("\n\n".join(ARTICLES[0]["text"]), encoding="utf-8")
    rows = [
        {"id": str(i), "headline": a["title"], "published": str(a["date"]), "body": "\n".join(a["text"])}
        for i, a in enumerate(ARTICLES)
    ]
    (folder / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    import pandas as pd

    table = pd.DataFrame(rows)
    table.to_csv(folder / "rows.csv", index=False)
    table.to_csv(folder / "rows.tsv", index=False, sep="\t")
    table.to_parquet(folder / "rows.parquet")
    made = [docx(folder / "nexis.docx", nexis_lines()), rtf(folder / "nexis.rtf", nexis_lines()),
            pdf(folder / "nexis.pdf", wrapped),
            lexis_old(folder / "lexis.txt"), factiva_html(folder / "factiva.html"),
            factiva_html(folder / "fields.html", table=True),
            rtf(folder / "factiva.rtf", factiva_display()), factiva_rtf_fields(folder / "fields.rtf"),
            proquest(folder / "proquest.txt"),
            ris(folder / "proquest.ris"), csl(folder / "zotero.json"), mediacloud(folder / "mediacloud.csv"),
            gdelt_csv(folder / "gdelt.csv"),
            gdelt_json(folder / "gdelt.json"), mhtml(folder / "page.mhtml"), warc(folder / "crawl.warc.gz"),
            warc(folder / "crawl.warc", gz=False),
            excel(folder / "table.xlsx"), docx(folder / "letter.docx", ARTICLES[0]["text"])]  # fmt: skip
    return {p.name: p for p in sorted([*made, *folder.glob("rows.*"), folder / "page.html", folder / "plain.txt"])}


# The exports that the first notebook reads: invented articles of data/sample, with what pages carry around them.

AROUND = [
    ["Read more: What the invented bill would change", "Share on Facebook"],
    ["Photograph: Ida Madeup/Getty Images"],
    ["Sign up for our daily newsletter, with invented news every morning.", "Updated 4 March 2024, 10:15 GMT"],
    ["We use cookies to remember that none of this is real.", "Advertisement"],
    ["Most read", "An invented firm and its invented keys", "Ten made-up messengers compared"],
]
OFF_TOPIC = [
    ("The Pennine Sentinel", date(2023, 4, 12), "Lock keepers reopen the invented canal",
     "The invented canal reopened to boats after a winter of repairs. Its keepers have painted every lock and ask "
     "crews to keep to walking speed. Sixty boats are expected by the weekend, most of them with dogs aboard, and the "
     "tea room at the top lock will serve until dusk."),
    ("Daily Pennant", date(2023, 5, 3), "Key cutters hold their made-up fair",
     "Four hundred key cutters met in a hall that does not exist to compare blanks, files and brass. A prize went to a "
     "cutter of nineteen who copied a church key from a drawing. The fair returns next spring, the organisers promise, "
     "with more tables."),
]  # fmt: skip
STUB = "To continue reading, please subscribe. Already a subscriber? Log in"


def sample_exports(folder, articles):
    """Write `data/sample/exports` from the table of invented articles: Nexis in Word, Factiva in HTML."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {"outlet": a.outlet, "date": a.date.date(), "title": a.title,
         "author": f"By {a.byline}" if isinstance(a.byline, str) else None,
         "section": "NEWS", "text": [*a.text.split("\n\n"), *(AROUND[i % len(AROUND)] if i % 2 else [])]}
        for i, a in enumerate(articles.itertuples())
    ]  # fmt: skip
    rows += [
        {"outlet": o, "date": d, "title": t, "author": None, "section": "LOCAL", "text": [x]}
        for o, d, t, x in OFF_TOPIC
    ]
    stubs = [
        {
            "outlet": "Albion News",
            "date": date(2024, 2, 5 + i),
            "title": title,
            "author": None,
            "section": "NEWS",
            "text": [STUB],
        }
        for i, title in enumerate(["Invented bill returns", "Keys and their keepers", "A vote that was not held"])
    ]
    cut = len(rows) * 3 // 4
    docx(folder / "nexis.docx", nexis_lines([*rows[:cut], *stubs]))
    factiva_html(folder / "factiva.html", [*rows[cut:], rows[cut] | {"text": []}])


if __name__ == "__main__":
    from pathlib import Path

    from analysis import read_articles

    data = Path(__file__).resolve().parent.parent / "data" / "sample"
    kept = read_articles(data / "articles.csv")
    sample_exports(
        data / "exports", kept[kept["type"].isin(["news", "opinion"])].sort_values("date", kind="stable").tail(64)
    )

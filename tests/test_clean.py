"""Cleaning: what it takes, what it leaves, and that every piece taken can be seen. All lines are invented."""

import time

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import boilerplate, clean
from analysis._clean import KINDS, _found

TAKEN = {
    "cookies": [
        "We use cookies to give you the best experience on our site.",
        "We and our partners use cookies to store information on a device.",
        "This website uses cookies.",
        "By continuing to use this site you agree to our use of cookies.",
        "By clicking accept you agree to our privacy policy and terms.",
        "Accept all cookies",
        "Cookie settings",
        "Manage preferences",
        "To view this video please enable cookies in your settings.",
        "Please enable JavaScript to read this page",
        "This content is provided by Invented Video, which may use cookies and other technologies.",
    ],
    "newsletter": [
        "Sign up for our daily newsletter",
        "Sign up to the Invented Briefing, our free newsletter on keys and locks.",
        "Subscribe to our weekly newsletter for more made-up stories!",
        "Please subscribe to the Keys podcast",
        "Get the day's invented headlines in your inbox every morning",
        "Enter your email address",
        "Thank you for signing up!",
        "Privacy Notice: Newsletters may contain information about charities and online ads.",
        "Already a subscriber? Log in",
        "Skip past newsletter promotion",
        "after newsletter promotion",
        "This article is for subscribers only.",
        "Subscribe to continue reading",
        "To continue reading, please subscribe.",
        "Register for free email alerts",
    ],
    "share": [
        "Share",
        "Share this article",
        "Share on Facebook",
        "Share via Email, WhatsApp and LinkedIn",
        "Facebook Twitter WhatsApp Email",
        "Print this page",
        "Email this story to a friend",
        "Copy link",
        "Advertisement",
        "Follow us on Twitter @invented",
        "Follow Ada Example on Bluesky",
        "View 214 comments",
        "Leave a comment",
        "Join the conversation",
        "Listen to this article",
        "4 min read",
        "Story continues below advertisement",
        "Continue reading the main story",
    ],
    "related": [
        "Read more: Who holds the invented keys?",
        "READ MORE | What the made-up bill would change",
        "Related: Ten messengers compared",
        "Don't miss: The judge who was never there",
        "See also: A short history of invented locks",
        "In pictures: a protest that was not held",
        "► Minister resigns over made-up memo",
        "Read more",
    ],
    "caption": [
        "Image caption, The invented minister at a hall that does not exist",
        "Image source, Getty Images",
        "Photograph: Ada Example/Getty Images",
        "Photo by Bo Sample",
        "Photo: C. D. Madeup / AFP",
        "An invented officer looks at an invented phone. Photograph: Ada Example/The Invented Herald",
        "The campus of a firm that does not exist. Bo Sample/Reuters",
        "Getty Images",
        "Illustration: Ida Fictional",
        "Hide caption",
        "Picture: Invented Press Agency",
    ],
    "credit": [
        "Reporting by Ada Example in London; Editing by Bo Sample",
        "(Reporting by Ada Example, Bo Sample and C. Madeup; writing by D. Fictional; editing by E. Nobody)",
        "Additional reporting by Ada Example",
        "© 2024 Invented Press. All rights reserved.",
        "Copyright 2023 The Invented Press. All rights reserved. This material may not be published.",
        "This material may not be published, broadcast, rewritten or redistributed.",
        "Our Standards: The Thomson Reuters Trust Principles.",
        "— AFP",
        "Source: Reuters",
        "With reporting by The Associated Press",
    ],
    "stamp": [
        "10.32am GMT",
        "14:05 BST",
        "Updated at 9.15am EST",
        "Last updated: 4 March 2024",
        "Published 12 April 2023, 10:15 GMT",
        "Mon 4 Mar 2024 10.15 GMT",
        "March 4, 2024 | 6:02 PM ET",
        "2 hours ago",
        "Updated 35 minutes ago",
        "Key events",
        "2024-03-04",
    ],
}
# Sentences of articles that look like the lines above.
LEFT = """
We use cookies to bake trust, the invented firm's advert says.
“We use cookies to follow you,” the invented page admitted.
We use encryption to protect our users.
Cookies that follow readers across sites are a threat to privacy.
Cookie banners were found to break the law in half of the made-up cases.
By clicking on the link, the officer opened a file that was never there.
By continuing to use the word backdoor, the minister chose her side.
The newsletter that leaked the memo has sixty readers, all invented.
Newsletters were the only press that reported the vote.
Sign up for the messenger and it asks for your telephone number.
Signing up to the newsletter took the researchers four clicks.
Subscribers to the service were told in March that their messages could be read.
Subscribe to that view and every lock is an insult.
Get out of the inbox and into the street was the slogan of the march.
The privacy notice was changed after the hearing.
Getty Images sued an invented firm over twelve made-up pictures.
Reuters was first to report the imaginary letter.
AFP and AP carried the story on the same day.
A spokesman for Getty Images declined to comment.
The photograph: a girl of six, a door, and a key.
Photographs of the hall were sent to the court, which kept them.
Photo matching compares a picture with a list of known ones.
Picture the police without a warrant, she asked the house.
Reporting by women's shelters shows that phones are tracked.
Reporting by the public has doubled since the hotline moved.
Editing by committee ruined the bill, one peer complained.
Copyright law has nothing to say about keys.
Copyright was the reason that the firm gave.
All rights reserved to the state are listed in section nine.
Share prices of the firm fell by a tenth.
Share of users who turned on the setting: four in ten.
Sharing this image is a crime in the invented country.
Print journalists were kept out of the room.
Printing the key took the engineer nine minutes.
Email remains unprotected in most of the offices that were surveyed.
Email this week revealed what the two ministers had agreed.
Follow the money, prosecutors say.
Follow us on this argument for a moment.
Comments by the minister caused a stir.
Comment is free, but keys are sacred.
Join the conversation too late and you see none of it: that is what forward secrecy means.
Listen to this, the officer said, and played the tape.
Advertisements for the safe messenger ran in nine papers.
Read more than one side before you judge, the professor advised.
Read next to the old law, the new one is mild.
Reading more of the file, the judge changed her mind.
Related to this is the question of who pays.
Related offences rose by five per cent.
More on this is expected on Monday.
More from the firm than from the state was what the hackers took.
Recommended sentences start at four years.
Most read the bill as a threat.
Most popular with teenagers is a messenger that keeps nothing.
See also how little the hotline was told.
Don't miss the point: the phone was never locked.
Analysis: the firm had no key to give.
Topics ranged from locks to liability.
You may like the law or not; you must obey it.
Trending now is no defence in court.
Updated rules will take effect in March 2024.
Updated phones cannot be opened by the old tool.
Published in March 2024, the report names no firm.
Published accounts show a loss.
At 10.32am the minister rose to speak.
4 March 2024 was the day of the vote that was not held.
March 4, 2024 is when the key expires.
Two hours ago the line went dead, the caller said.
Live fire was heard near the data centre.
Live streams are what worries the charity most.
Key events were left out of the file.
Source: the memo, which the firm calls a fake.
With files from the hotline, the police found eleven homes.
This material may not be opened without a warrant, the court held.
This content is illegal in all nine countries.
Our standards are the law, said the chairwoman.
This website uses encryption, not magic.
This article is unconstitutional, the judges found of section nine.
Enable cookies, and you enable trackers, the study warned.
Accept all of it or none, the whip told them.
Accept the cookies, decline the drink, was her advice.
Save the children, save the keys.
Close to the border the signal fails.
Tweet by tweet the campaign fell apart.
X marks the spot on the map.
Facebook said that it would go on.
WhatsApp and Signal would leave the country.
Facebook, WhatsApp and Telegram refused.
Register your phone or lose it: so ran the decree.
Enter your email and the site tells you who has leaked it.
Thanks for the keys, the thief wrote.
Image hashes are kept for five years.
Image source code was never handed over.
Media reports of the raid were wrong.
Video captions are made by the same machine.
Loading the list onto every phone is what the bill demands.
Menu after menu hides the switch.
Sponsored by two members, the bill has the support of nine.
Continue reading the law this way and nobody is safe.
Around the web of rules a market has grown.
Up next is the upper house.
LONDON is where the firm was founded (Reuters reported a different city).
The firm (AP) did not reply.
He spoke (reporting by memory, as he put it) of a door.
Hashes, keys, salts
What happens next
""".strip().splitlines()


def pieces(line):
    return boilerplate(pd.Series([f"The invented bill passed at noon.\n{line}\nNobody voted, since nobody was there."]))


@pytest.mark.parametrize(("kind", "line"), [(k, line) for k, lines in TAKEN.items() for line in lines])
def test_what_is_no_part_of_the_article_is_taken(kind, line):
    found = pieces(line)
    assert found[["kind", "text"]].to_numpy().tolist() == [[kind, line]]


@pytest.mark.parametrize("line", LEFT)
def test_sentences_that_look_like_it_are_left(line):
    assert pieces(line).empty


def test_there_are_over_a_hundred_cases():
    assert set(TAKEN) == set(KINDS)
    assert len(LEFT) > 100
    assert sum(map(len, TAKEN.values())) > 80


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LONDON, March 4 (Reuters) - The bill passed.", "The bill passed."),
        ("WASHINGTON (AP) — The bill passed.", "The bill passed."),
        ("NEW DELHI/LONDON (Reuters) - The bill passed.", "The bill passed."),
        ("It passed. (Reporting by Ada Example; Editing by Bo Sample)", "It passed. "),
        ("A hall (Photo by Ada Example/AFP) was used.", "A hall  was used."),
    ],
)
def test_credits_inside_a_line(text, expected):
    assert clean(pd.Series([text])).tolist() == [expected]


def test_lists_of_headlines_go_only_where_they_cannot_be_prose():
    body = "The bill passed.\nIt is law."
    tail = "Most read\nA key for everyone\nWho asked the hotline\nShare on Facebook\nThe judge who was not there"
    assert clean(pd.Series([f"{body}\n{tail}"])).tolist() == [body]
    bullets = "Related stories:\n• A key for everyone\n• Who asked the hotline"
    assert clean(pd.Series([f"The bill passed.\n{bullets}\nIt is law."])).tolist() == [body]
    headed = "Read more\nWhat happens next\nIt is law, and will be for years."
    assert clean(pd.Series([f"The bill passed.\n{headed}"])).tolist() == [
        "The bill passed.\nWhat happens next\nIt is law, and will be for years."
    ]
    assert clean(pd.Series(["What happens next\nHashes, keys, salts"])).tolist() == [
        "What happens next\nHashes, keys, salts"
    ]


def test_series_in_series_out():
    text = pd.Series(
        ["Share\n\nThe bill passed.", None, "Share", "As it was. "],
        index=["a", "b", "c", "c"],
        name="text",
        dtype="str",
    )
    before = text.copy()
    cleaned = clean(text)
    pd.testing.assert_series_equal(
        cleaned, pd.Series(["The bill passed.", None, "", "As it was. "], index=text.index, name="text", dtype="str")
    )
    found = boilerplate(text)
    assert found[["article_id", "start", "end"]].to_numpy().tolist() == [["a", 0, 5], ["c", 0, 5]]
    pd.testing.assert_series_equal(text, before)
    assert list(boilerplate(text.head(0)).columns) == ["article_id", "start", "end", "kind", "text"]
    assert clean(text.head(0)).empty
    for function in (clean, boilerplate):
        with pytest.raises(TypeError, match="text must be a pandas Series"):
            function("Share")


LINES = st.sampled_from(
    [line for lines in TAKEN.values() for line in lines] + LEFT + ["", " ", "• A key", "Most read", "The bill passed."]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(LINES, max_size=12), st.sampled_from(["\n", "\n\n", "\r\n"]))
def test_spans_are_what_they_say_and_the_rest_is_kept(lines, separator):
    text = separator.join(lines)
    found = _found(text)
    assert all(0 <= a < b <= len(text) for a, b, _ in found)
    assert all(one[1] <= two[0] for one, two in zip(found, found[1:], strict=False))
    kept = text
    for start, end, _ in reversed(found):
        kept = kept[:start] + kept[end:]
    assert clean(pd.Series([text])).iloc[0].split() == kept.split()
    again = clean(clean(pd.Series([text])))
    assert all(line in again.iloc[0] for line in lines if line in LEFT)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_answered(text):
    assert isinstance(clean(pd.Series([text], dtype="str")).iloc[0], str)


def test_the_time_is_linear_on_hostile_text():
    lines = [
        "A. " * 160,
        "Reporting by " + "Aa, " * 99,
        "Get " + "in your " * 60,
        "A B/" * 100,
        "By using " + "cookie " * 70,
    ]
    hard = ["a ", "Photo: ", "A" * 30 + " ", "(Reporting by A", "[", "X/", "- a\n", "Read more\n- a b\n", "\n"]
    hard += [line + "\n" for line in lines]
    for piece in hard:
        began = time.process_time()
        _found(piece * (300_000 // len(piece)))
        assert time.process_time() - began < 2, piece[:40]

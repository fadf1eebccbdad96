"""HTML as tests look at it: start tags and what they say."""

from html.parser import HTMLParser


class Tags(HTMLParser):
    """All start tags of some HTML."""

    def __init__(self, markup):
        super().__init__()
        self.tags = []
        self.feed(markup)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def of(self, tag, **wanted):
        return [a for name, a in self.tags if name == tag and wanted.items() <= a.items()]

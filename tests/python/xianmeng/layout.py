"""Reading hand-laid layouts, and the stable names of broken rules (SPEC 1)."""

import unicodedata


class Broken(Exception):
    """A rule is broken; `rule` is its stable name."""

    def __init__(self, rule, words=""):
        super().__init__(f"{rule}: {words}" if words else rule)
        self.rule = rule


def check_text(data, field, empty_allowed=False):
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Broken(f"layout/text/{field}", "must be UTF-8") from None
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in text):
        raise Broken(f"layout/text/{field}", "must not hold control characters except tab and line feed")
    if any(0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in text):
        raise Broken(f"layout/text/{field}", "must not hold characters that turn the direction of text")
    if not text and not empty_allowed:
        raise Broken(f"layout/text/{field}", "must not be empty")
    return text


def check_line(text, field):
    if "\n" in text or "\t" in text:
        raise Broken(f"layout/text/{field}", "must not hold tab or line feed")
    return text


class Reader:
    """A strict reader: every read names its field."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def remaining(self):
        return len(self.data) - self.at

    def bytes(self, count, field):
        if count > self.remaining():
            raise Broken(f"layout/short/{field}", "bytes end inside the field")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size, field):
        return int.from_bytes(self.bytes(size, field), "little")

    def u8(self, field):
        return self.number(1, field)

    def u16(self, field):
        return self.number(2, field)

    def u32(self, field):
        return self.number(4, field)

    def u64(self, field):
        return self.number(8, field)

    def boolean(self, field):
        return bool(self.choice(self.u8(field), (0, 1), field))

    @staticmethod
    def choice(value, allowed, field):
        if value not in allowed:
            raise Broken(f"layout/rule/{field}", f"{value} is not defined")
        return value

    def count(self, bound, field):
        found = self.u16(field)
        if found > bound:
            raise Broken(f"layout/bound/{field}", f"{found} is above {bound}")
        return found

    def text(self, bound, field, empty_allowed=False):
        return check_text(self.bytes(self.count(bound, field), field), field, empty_allowed)

    def line(self, bound, field, empty_allowed=False):
        return check_line(self.text(bound, field, empty_allowed), field)

    def varint(self, field, bits=64):
        value = shift = 0
        while True:
            byte = self.u8(field)
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80 and value < 1 << 64:
                break
            if shift > 63:
                raise Broken(f"layout/rule/{field}", "must fit 64 bits")
        if value >> bits:
            raise Broken(f"layout/rule/{field}", f"must fit {bits} bits")
        return value

    def finish(self):
        if self.remaining():
            raise Broken("layout/trailing", f"{self.remaining()} bytes are left over")


def put_text(text):
    data = text.encode()
    return len(data).to_bytes(2, "little") + data

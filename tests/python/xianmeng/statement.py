"""Bodies: statements, their values, and addresses (SPEC 5 to 7)."""

from .layout import Broken, Reader, check_text
from .signature import ZERO

LIST = 11
DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FLAGS = ("about", "at-least", "more-than", "at-most", "cumulative")


def number(reader):
    flags = reader.u8("number-flags")
    if flags >> len(FLAGS):
        raise Broken("layout/rule/number-flags", "undefined bits")
    scale = reader.u8("number-scale")
    mantissa = int.from_bytes(reader.bytes(16, "number-mantissa"), "little", signed=True)
    if scale > 28 or abs(mantissa) >> 96 or (scale and mantissa % 10 == 0):
        raise Broken("layout/rule/number", "not canonical")
    given = reader.line(128, "number-as-given", empty_allowed=True)
    named = [name for bit, name in enumerate(FLAGS) if flags >> bit & 1]
    return {"flags": named, "scale": scale, "mantissa": str(mantissa), "given": given}


def date(reader):
    year, month, day = reader.u16("year"), reader.u8("month"), reader.u8("day")
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    exists = 1 <= year <= 9999 and month <= 12
    if exists:
        days = DAYS[month - 1] + (month == 2 and leap) if month else 0
        exists = day <= days
    if not exists:
        raise Broken("layout/rule/date", f"{year}-{month}-{day}")
    return {"date": f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")}


def rest_text(reader, field):
    return {"text": check_text(reader.bytes(reader.remaining(), field), field)}


def money(reader):
    amount, currency = number(reader), reader.bytes(3, "currency")
    if not all(0x41 <= byte <= 0x5A for byte in currency):
        raise Broken("layout/rule/currency", "not three capital letters")
    return {"number": amount, "currency": currency.decode()}


def file(reader):
    return {
        "hash": reader.bytes(32, "file-hash").hex(),
        "bytes": reader.u64("file-length"),
        "name": reader.line(255, "file-name"),
    }


def values(reader):
    element = reader.u8("list-element-type")
    if element == LIST:
        raise Broken("layout/rule/list-element-type", "a list in a list")
    count = reader.count(1024, "list-length")
    if count == 0:
        raise Broken("layout/rule/list-length", "an empty list")
    found = []
    for _ in range(count):
        length = reader.u32("list-element-length")
        found.append(value(element, reader.bytes(length, "list-element")))
    return {"element": element, "values": found}


SCALARS = {
    1: lambda reader: rest_text(reader, "text"),
    2: lambda reader: {"number": number(reader)},
    3: lambda reader: {"number": number(reader), "unit": reader.line(64, "unit")},
    4: money,
    5: date,
    6: lambda reader: {"table": reader.line(64, "code-table"), "code": reader.line(64, "code")},
    7: lambda reader: {"reference": reader.bytes(32, "reference").hex()},
    8: file,
    9: lambda reader: rest_text(reader, "choice"),
    10: lambda reader: {"boolean": reader.boolean("boolean")},
    LIST: values,
}


def value(value_type, data):
    reader = Reader(data)
    unknown = lambda reader: {"unknown": reader.bytes(reader.remaining(), "value").hex()}
    found = SCALARS.get(value_type, unknown)(reader)
    reader.finish()
    return found


def ascending(numbers, number, field):
    if numbers and numbers[-1] >= number:
        raise Broken(f"layout/rule/{field}", "not strictly ascending")


def fields(reader):
    found = []
    for _ in range(reader.count(256, "fields")):
        field = reader.u16("field-number")
        ascending([held["number"] for held in found], field, "field-number")
        value_type = reader.u8("field-type")
        length = reader.u32("field-length")
        content = value(value_type, reader.bytes(length, "field-value"))
        found.append({"number": field, "type": value_type, "value": content})
    return found


def statement(data):
    reader = Reader(data)
    nonce = reader.bytes(16, "nonce")
    reader.choice(reader.u8("statement-layout"), (1,), "statement-layout")
    operation = reader.choice(reader.u8("operation"), (1, 2, 3), "operation")
    kind_set = reader.u16("kind-set")
    record, origin = reader.bytes(32, "record"), reader.bytes(32, "origin")
    external = reader.line(128, "external", empty_allowed=True)
    cleared = []
    for _ in range(reader.count(256, "cleared-fields")):
        cleared_field = reader.u16("cleared-field")
        ascending(cleared, cleared_field, "cleared-field")
        cleared.append(cleared_field)
    held_fields = fields(reader)
    reader.finish()
    if (operation == 1) != (record == ZERO):
        raise Broken("layout/rule/record")
    if operation != 1 and external:
        raise Broken("layout/rule/external")
    if cleared and operation != 2:
        raise Broken("layout/rule/cleared", "only a revision clears fields")
    if set(cleared) & {held["number"] for held in held_fields}:
        raise Broken("layout/rule/cleared", "a field is cleared and set")
    named = lambda id: None if id == ZERO else id.hex()
    return {
        "nonce": nonce.hex(), "operation": operation, "kind_set": kind_set, "record": named(record),
        "origin": named(origin), "external": external or None, "cleared": cleared, "fields": held_fields,
    }  # fmt: skip


def addresses(data):
    reader = Reader(data)
    reader.bytes(16, "nonce")
    reader.choice(reader.u8("address-layout"), (1,), "address-layout")
    transport = reader.bytes(32, "transport-key")
    found = [reader.line(256, "address") for _ in range(reader.count(16, "addresses"))]
    reader.finish()
    return {"transport": transport.hex(), "addresses": found}

"""Makes the workbooks of this folder that the tests cannot make themselves.

Needs xlwt, openpyxl and msoffcrypto-tool. The results are committed; run this only to change them.
"""

import datetime
import io

import msoffcrypto.format.ooxml
import openpyxl
import xlwt

HEADER = ["县", "项目编号", "项目名称", "阶段", "计划投资（亿元）", "就业（人）", "说明"]
DAY = xlwt.easyxf(num_format_str="YYYY-MM-DD")
PERCENT = xlwt.easyxf(num_format_str="0%")


def old(path, dates_1904=False):
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = dates_1904
    sheet = book.add_sheet("项目")
    sheet.write_merge(0, 0, 0, 6, "夏邑县项目台账")
    for column, text in enumerate(HEADER):
        sheet.write(1, column, text)
    rows = [("XM1", "电芯产业园", "策划", 37.84, 1000), ("XM2", "印染园", "策划", 180, 30000)]
    sheet.write_merge(2, 3, 0, 0, "夏邑县")
    for index, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(2 + index, 1 + column, value)
    serial = 46086 - (1462 if dates_1904 else 0)
    sheet.write(2, 6, serial, DAY)
    sheet.write(3, 6, 0.3, PERCENT)
    sheet.write(4, 0, "合计")
    sheet.write(4, 4, xlwt.Formula("SUM(E3:E4)"))
    hidden = book.add_sheet("旧数据")
    hidden.write(0, 0, "项目编号")
    hidden.visibility = 2
    book.save(path)


def far(path):
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("远")
    sheet.write(0, 0, "项目编号")
    sheet.write(65535, 255, "x")
    book.save(path)


def password(path):
    book = openpyxl.Workbook()
    book.active.append(HEADER)
    plain = io.BytesIO()
    book.save(plain)
    with open(path, "wb") as out:
        msoffcrypto.format.ooxml.OOXMLFile(plain).encrypt("xianmeng", out)


old("old.xls")
old("old-1904.xls", True)
far("far.xls")
password("password.xlsx")

import { expect, test } from "bun:test";
import { ansiLine } from "../../ui/components/ansi.ts";

test("ansiLine turns colours into classes", () => {
  expect(ansiLine("\x1b[1;31mred\x1b[0m plain")).toBe('<span class="ab f1">red</span> plain');
  expect(ansiLine("\x1b[92mbright\x1b[39m")).toBe('<span class="f10">bright</span>');
});

test("ansiLine folds 256 colours and true colours onto sixteen", () => {
  expect(ansiLine("\x1b[38;5;196mx\x1b[0m")).toBe('<span class="f9">x</span>');
  expect(ansiLine("\x1b[38;2;0;128;0mx\x1b[0m")).toBe('<span class="f2">x</span>');
  expect(ansiLine("\x1b[48;5;4mx")).toBe('<span class="b4">x</span>');
});

test("ansiLine escapes text and drops every other sequence", () => {
  expect(ansiLine("<b>\x1b[2K\x1b]0;title\x07&</b>\x1b[31m<i>")).toBe(
    '&lt;b&gt;&amp;&lt;/b&gt;<span class="f1">&lt;i&gt;</span>',
  );
  expect(ansiLine("a\x00b\x08c")).toBe("abc");
});

test("ansiLine keeps the last state of a redrawn line", () => {
  expect(ansiLine("10 %\r50 %\r100 %\r\n")).toBe("100 %");
});

// The line that is being typed, its history, and what of it is on the screen.
#include "chat/client/line_editor.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "chat/client/input_history.h"
#include "chat/client/line_view.h"
#include "chat/client/text_width.h"
#include "tests/support/catch.h"

namespace samples::chat {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kHan = "\xe6\xbc\xa2";         // 2 columns
constexpr std::string_view kAccented = "e\xcc\x81";       // e and a combining accent: 1 column
constexpr std::string_view kSmiley = "\xf0\x9f\x98\x80";  // 2 columns

LineEditor Typed(std::string_view text) {
  LineEditor editor;
  editor.Insert(text);
  return editor;
}

// The row that `drawn` leaves behind, and the column of the cursor.
struct Row {
  std::string text;
  std::size_t column = 0;
};

Row RowOf(std::string_view drawn) {
  REQUIRE(drawn.starts_with(LineView::kErase));
  drawn.remove_prefix(LineView::kErase.size());
  const std::size_t end = drawn.find('\r');
  REQUIRE(end != std::string_view::npos);
  Row row{std::string(drawn.substr(0, end)), 0};
  const std::string_view move = drawn.substr(end + 1);
  if (!move.empty()) {
    REQUIRE((move.starts_with("\x1b[") && move.ends_with("C")));
    row.column = std::stoul(std::string(move.substr(2, move.size() - 3)));
  }
  return row;
}

TEST_CASE("text is inserted where the cursor stands", "[chat][editor]") {
  LineEditor editor = Typed("held");
  editor.MoveLeft();
  editor.Insert("lo wor");
  editor.MoveHome();
  editor.Insert(">");
  CHECK(editor.Text() == ">hello word");
  CHECK(editor.Cursor() == 1);
  editor.MoveEnd();
  editor.MoveRight();
  CHECK(editor.Cursor() == editor.Text().size());
}

TEST_CASE("a character is moved over and removed as a whole", "[chat][editor]") {
  for (const std::string_view character : {"x"sv, kHan, kAccented, kSmiley}) {
    LineEditor editor = Typed(std::string("a").append(character).append("b"));
    editor.MoveLeft();
    editor.MoveLeft();
    CHECK(editor.Cursor() == 1);
    editor.MoveRight();
    CHECK(editor.Cursor() == 1 + character.size());
    editor.Backspace();
    CHECK(editor.Text() == "ab");
    editor.Insert(character);
    editor.MoveLeft();
    editor.Delete();
    CHECK(editor.Text() == "ab");
    CHECK(editor.Cursor() == 1);
  }
}

TEST_CASE("at the ends of the line there is nothing to remove", "[chat][editor]") {
  LineEditor editor = Typed("a");
  editor.Delete();
  editor.MoveHome();
  editor.Backspace();
  editor.KillToStart();
  editor.KillWord();
  CHECK(editor.Text() == "a");
  editor.MoveLeft();
  CHECK(editor.Cursor() == 0);
}

TEST_CASE("words and both sides of the line are removed", "[chat][editor]") {
  LineEditor editor = Typed("one two  three");
  editor.KillWord();
  CHECK(editor.Text() == "one two  ");
  editor.KillWord();
  CHECK(editor.Text() == "one ");
  editor.Insert("more");
  editor.MoveLeft();
  editor.MoveLeft();
  editor.KillToEnd();
  CHECK(editor.Text() == "one mo");
  editor.MoveLeft();
  editor.KillToStart();
  CHECK(editor.Text() == "o");
  CHECK(editor.Cursor() == 0);
}

TEST_CASE("a line grows to its limit and is cut between characters", "[chat][editor]") {
  LineEditor editor = Typed(std::string(LineEditor::kMaxBytes - 1, 'x'));
  editor.Insert(kHan);
  CHECK(editor.Text().size() == LineEditor::kMaxBytes - 1);
  editor.Insert("yz");
  CHECK(editor.Text().size() == LineEditor::kMaxBytes);
  CHECK(editor.Text().ends_with("xy"));
}

TEST_CASE("the history is walked back and forth and gives back what was being typed",
          "[chat][editor]") {
  InputHistory history;
  CHECK_FALSE(history.Older("typing"));
  for (const std::string_view line : {"one"sv, "two"sv, "two"sv, ""sv}) history.Add(line);
  CHECK(history.Older("typing") == "two"sv);
  CHECK(history.Older("two") == "one"sv);
  CHECK_FALSE(history.Older("one"));
  CHECK(history.Newer() == "two"sv);
  CHECK(history.Newer() == "typing"sv);
  CHECK_FALSE(history.Newer());
}

TEST_CASE("the history forgets the oldest", "[chat][editor]") {
  InputHistory history;
  for (std::size_t index = 0; index <= InputHistory::kMost; ++index) {
    history.Add(std::to_string(index));
  }
  std::string last;
  std::size_t count = 0;
  while (const auto line = history.Older("")) {
    last = *line;
    ++count;
  }
  CHECK(last == "1");
  CHECK(count == InputHistory::kMost);
}

TEST_CASE("a short line is drawn whole behind the prompt", "[chat][view]") {
  LineView view;
  LineEditor editor = Typed("hello");
  editor.MoveLeft();
  const Row row = RowOf(view.Draw("room> ", editor, 80));
  CHECK(row.text == "room> hello");
  CHECK(row.column == 10);
}

TEST_CASE("a prompt that takes too much gives way", "[chat][view]") {
  LineView view;
  CHECK(RowOf(view.Draw("a long room> ", Typed("x"), 20)).text == "> x");
  CHECK(RowOf(view.Draw("a long room> ", Typed("x"), 5)).text == "x");
}

TEST_CASE("whatever is typed and however narrow it is, one row holds the cursor", "[chat][view]") {
  std::string text = "some words and ";
  for (int index = 0; index < 10; ++index) {
    text.append(kHan).append("x").append(kAccented).append(kSmiley);
  }
  for (const std::size_t columns : {1U, 4U, 7U, 10U, 23U, 80U}) {
    LineView view;
    LineEditor editor = Typed(text);
    const std::size_t seen = std::max<std::size_t>(columns, 4);
    const auto check = [&] {
      const Row row = RowOf(view.Draw("r> ", editor, columns));
      INFO(columns << " columns, cursor at " << editor.Cursor() << ": " << row.text);
      CHECK(WidthOf(row.text) < seen);
      CHECK(row.column < seen);
      // What is left of the cursor on the screen is what is left of it in the text.
      std::string_view left = row.text;
      std::size_t end = 0;
      while (WidthOf(left.substr(0, end)) < row.column) end = NextCharacter(left, end);
      left = left.substr(0, end);
      for (const std::string_view prompt : {"r> "sv, "> "sv}) {
        if (left.starts_with(prompt)) left.remove_prefix(prompt.size());
      }
      CHECK(editor.Text().substr(0, editor.Cursor()).ends_with(left));
    };
    check();
    while (editor.Cursor() > 0) {
      editor.MoveLeft();
      check();
    }
    while (editor.Cursor() < editor.Text().size()) {
      editor.MoveRight();
      check();
    }
    while (!editor.Text().empty()) {
      editor.Backspace();
      check();
    }
  }
}

TEST_CASE("a line that became shorter fills the row again", "[chat][view]") {
  LineView view;
  LineEditor editor = Typed("0123456789abcdef");
  CHECK(RowOf(view.Draw("", editor, 11)).text == "6789abcdef");
  editor.Backspace();
  CHECK(RowOf(view.Draw("", editor, 11)).text == "56789abcde");
  editor.MoveHome();
  CHECK(RowOf(view.Draw("", editor, 11)).text == "0123456789");
}

TEST_CASE("what could move the cursor is shown as a replacement", "[chat][view]") {
  CHECK(Showable("a\x1b[2Jb") == "a\xef\xbf\xbd[2Jb");
  CHECK(Showable("\n\r\t\x7f\xc2\x9b") ==
        "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(Showable("a\xff\xc3") == "a\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(Showable("\xe2\x80\xaex") == "\xef\xbf\xbdx");
  CHECK(Showable(kAccented) == kAccented);
  CHECK(Showable("") == "");
}

}  // namespace
}  // namespace samples::chat

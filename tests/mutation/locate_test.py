#!/usr/bin/env python3
"""A planted bug is found by its function and statement, and refused where it does not fit.

Usage: locate_test.py [-v]
"""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from locate import LocateError, Source, complaints, replaced, same_code, tokens_of  # noqa: E402
from mutations import Mutation  # noqa: E402


def names_in(text):
    return [function.name for function in Source("a.cpp", text).functions]


def text_of(text, function, statement):
    begin, end = Source("a.cpp", text).find(function, statement)
    return text[begin:end]


class TokensTest(unittest.TestCase):
    def texts(self, text):
        return [token.text for token in tokens_of(text)]

    def test_comments_and_white_space_are_no_tokens(self):
        text = "a /* b { */ // c } \\\n still a comment {\n\t= \\\n1;"
        self.assertEqual(self.texts(text), ["a", "=", "1", ";"])

    def test_a_string_is_one_token_whatever_it_holds(self):
        text = r'f("a \" // { \\", u8"}")'
        self.assertEqual(self.texts(text), ["f", "(", r'"a \" // { \\"', ",", 'u8"}"', ")"])

    def test_a_raw_string_ends_with_its_delimiter(self):
        raw = 'R"x(a )" \\ " { /* \n)x"'
        text = "f(" + raw + ', LR"(})")'
        self.assertEqual(self.texts(text), ["f", "(", raw, ",", 'LR"(})"', ")"])

    def test_characters_and_digit_separators_are_told_apart(self):
        text = r"""f('{', '\'', L'"', 1'000'000, 0x1p-3, .5f)"""
        expected = ["f", "(", "'{'", ",", r"'\''", ",", "L'\"'", ","]
        expected += ["1'000'000", ",", "0x1p-3", ",", ".5f", ")"]
        self.assertEqual(self.texts(text), expected)

    def test_a_preprocessor_line_is_one_token(self):
        text = "#define F(x) { \\\n  x /* y\n */ (\na #b"
        with self.assertRaises(LocateError):  # a `#` that begins no line
            self.texts(text)
        self.assertEqual(len(self.texts(text.replace("a #b", "a"))), 2)

    def test_two_words_are_not_one(self):
        self.assertTrue(same_code("a  =b ; // c", "a = b;"))
        self.assertFalse(same_code("returnvalue", "return value"))
        self.assertFalse(same_code("a = b", "a == b"))


class FunctionsTest(unittest.TestCase):
    def test_members_free_functions_and_namespaces(self):
        text = """
            namespace netcore::port {
            namespace { int Free(int a) { return a; } }
            inline namespace v1 { [[gnu::format(printf, 1, 2)]] void Inner() {} }
            void Mailbox::Push(Mail& mail) noexcept { mail.Use(); }
            extern "C" { int main() { return 0; } }
            extern "C" int other(void) { return 0; }
            }  // namespace netcore::port
        """
        expected = ["Free", "Inner", "Mailbox::Push", "main", "other"]
        self.assertEqual(names_in(text), expected)

    def test_constructors_and_destructors(self):
        text = """
            Mailbox::Mailbox(Options o)
                : Base<int>(o), a_{o.a}, b_([] { return 1; }()), c_{} { Run(); }
            Mailbox::Mailbox(const Mailbox& other) noexcept(true) : Mailbox(other.o) {}
            Mailbox::~Mailbox() { Close(); }
            Other::Other() try : a_(1) { Run(); }
            catch (const E&) { Fail(); } catch (...) { End(); }
            template <class... T> All<T...>::All(T... t) : T(t)..., n_{0} { Count(); }
            After::After() {}
        """
        expected = ["Mailbox::Mailbox", "Mailbox::Mailbox", "Mailbox::~Mailbox", "Other::Other"]
        self.assertEqual(names_in(text), expected + ["All::All", "After::After"])
        self.assertEqual(text_of(text, "Mailbox::Mailbox", "a_{o.a}"), "a_{o.a}")
        self.assertEqual(text_of(text, "Other::Other", "End();"), "End();")
        self.assertEqual(text_of(text, "All::All", "Count();"), "Count();")

    def test_classes_in_classes(self):
        text = """
            class NETCORE_API [[nodiscard]] Outer final : public Base<Outer>, private Other {
              Outer() : a_(0) {}
             public:
              struct Inner {
                int Get() const& { return 1; }
                enum class Kind { kA, kB };
                enum Plain : int { kC = 1 } plain{kC};
                int value_{3};
              } inner_;
              explicit operator bool() const noexcept { return true; }
              static Span<const char> Bytes(int a = {}, F<void(int)> f = [] {}) { return {}; }
              decltype(auto) Same() { return a_; }
              explicit(true) Outer(int a) : a_(a) {}
              void Declared();
              virtual void Pure() = 0;
              Outer(const Outer&) = delete;
             private:
              std::function<void(int)> hook_{[](int) { return; }};
              alignas(64) std::atomic<int> a_{0};
              int bits_ : 3;
              std::array<int, 2> b_ = {1, 2};
              friend bool operator==(const Outer&, const Outer&) { return true; }
            };
            template <> struct fmt::formatter<Outer> : formatter<int> {
              auto format(const Outer& o) const -> decltype(o.begin()) { return {}; }
            };
            union Either { int a; Either() {} };
        """
        expected = ["Outer::Outer", "Outer::Inner::Get", "Outer::operator bool", "Outer::Bytes"]
        expected += ["Outer::Same", "Outer::Outer", "Outer::operator==", "fmt::formatter::format"]
        expected += ["Either::Either"]
        self.assertEqual(names_in(text), expected)
        self.assertEqual(text_of(text, "", "a_{0}"), "a_{0}")
        self.assertEqual(text_of(text, "", "kC = 1"), "kC = 1")

    def test_operators(self):
        text = """
            A& A::operator=(A&& other) noexcept { return *this; }
            void A::operator()(int a) const { Use(a); }
            bool operator<(const A& a, const A& b) { return a.x < b.x; }
            auto operator<=>(const A& a, const A& b) { return 0; }
            std::ostream& operator<<(std::ostream& o, const A& a) { return o; }
            void* operator new(std::size_t size) { return nullptr; }
            void operator delete[](void* p) noexcept { }
            A::operator std::span<const int>() const { return {}; }
            int operator""_ms(unsigned long long v) { return 0; }
            int After() { return 1; }
        """
        expected = ["A::operator=", "A::operator()", "operator<", "operator<=>", "operator<<"]
        expected += ["operator new", "operator delete[]", "A::operator std::span<const int>"]
        self.assertEqual(names_in(text), expected + ['operator""_ms', "After"])

    def test_templates_constraints_and_trailing_return_types(self):
        text = """
            template <class T, int N = (3 > 2)>
              requires requires(T t) { t.Run(); } && (sizeof(T) > 4)
            void Box<T, N>::Run() { Use(); }
            template <class T> requires std::integral<T> T Half(T t) { return t / 2; }
            template <> int Half<int>(int t) { return t; }
            template <class T> template <class U>
            auto Box<T>::Map(U u) const -> Box<U> { return {}; }
            auto Make() -> std::pair<int, std::function<int(char)>> { return {}; }
            std::function<void(std::vector<int>)> Twice(int a) { return {}; }
            void Last() requires(true) { }
        """
        expected = ["Box::Run", "Half", "Half", "Box::Map", "Make", "Twice", "Last"]
        self.assertEqual(names_in(text), expected)

    def test_what_looks_like_a_function_and_is_none(self):
        text = """
            using Hook = std::function<void(int)>;
            constexpr auto kHook = [](int a) { return a; };
            const std::map<int, int> kMap = {{1, 2}, {3, 4}};
            const auto kSum = Value(1) + Type{2};
            struct Pair { int a; } pair{Value(1) + Type{2}};
            std::vector<int> list{1, 2};
            static_assert(sizeof(int) == 4, "{");
            enum class Kind { kA = Value(1), kB };
            int Declared(int a, int b = 3);
            void* const kNone = nullptr;
            namespace short_name = netcore::port;
            class Later;
        """
        self.assertEqual(names_in(text), [])
        self.assertEqual(text_of(text, "", "{3, 4}"), "{3, 4}")

    def test_a_lambda_and_a_local_class_belong_to_their_function(self):
        text = """
            void A::Run() {
              const auto f = [this](int a) -> int { if (a) { return 1; } return Next(a); };
              struct Local { void Go() { Deep(); } };
              for (int i = 0; i < 3; ++i) { f(i); }
            }
            void A::Other() { Next(a); }
        """
        self.assertEqual(names_in(text), ["A::Run", "A::Other"])
        self.assertEqual(text_of(text, "A::Run", "Deep();"), "Deep();")
        self.assertEqual(text_of(text, "A::Run", "Next(a)"), "Next(a)")

    def test_braces_in_comments_strings_and_preprocessor_lines_count_nothing(self):
        text = """
            #define OPEN {
            void A() { Use("}", '}', R"(})"); /* } */ // }
            #if 1
              B(1);
            #endif
            }
            void B(int b) { Use(b); }
        """
        self.assertEqual(names_in(text), ["A", "B"])
        self.assertEqual(text_of(text, "A", "B(1);"), "B(1);")

    def test_brackets_that_do_not_match_are_refused(self):
        for text, expected in (
            ("void A() { Use(1; }", "closes nothing"),
            ("void A() { if (b) { }", "in line 1 is never closed"),
            ("\n\n}", "`}` in line 3 closes nothing"),
        ):
            with self.assertRaisesRegex(LocateError, f"a.cpp: .*{expected}"):
                Source("a.cpp", text)


class FindTest(unittest.TestCase):
    text = """
        constexpr int kMost = 64;
        void Box::Put(int a) {
          if (a > kMost &&
              !Full()) {  // no room
            return;
          }
          size_ = size_ + 1;
          Tell();
          Tell();
        }
        void Box::Put(long a) { Widen(a); }
        void Box::Take() { size_ = size_ - 1; }
    """

    def assert_refused(self, function, statement, expected):
        with self.assertRaises(LocateError) as caught:
            Source("a/box.cpp", self.text).find(function, statement)
        self.assertEqual(str(caught.exception), expected)

    def test_white_space_and_comments_do_not_count(self):
        found = text_of(self.text, "Box::Put", "if(a>kMost && ! Full()){return;}")
        self.assertTrue(found.startswith("if (a > kMost &&\n"))
        self.assertTrue(found.endswith("}"))

    def test_overloads_are_one_function(self):
        self.assertEqual(text_of(self.text, "Box::Put", "Widen( a );"), "Widen(a);")

    def test_a_statement_counts_in_its_function_alone(self):
        self.assertEqual(text_of(self.text, "Box::Take", "size_ ="), "size_ =")

    def test_what_is_outside_of_functions(self):
        self.assertEqual(text_of(self.text, "", "kMost = 64"), "kMost = 64")
        expected = "a/box.cpp outside functions has no statement `Tell();`"
        self.assert_refused("", "Tell();", expected)

    def test_a_missing_function_is_refused(self):
        self.assert_refused(
            "Box::Puts", "Tell();", "a/box.cpp has no function Box::Puts; it has Box::Put"
        )
        self.assert_refused("Unlike", "Tell();", "a/box.cpp has no function Unlike")

    def test_no_match_is_refused(self):
        expected = "Box::Take in a/box.cpp has no statement `Tell();`"
        self.assert_refused("Box::Take", "Tell();", expected)

    def test_two_matches_are_refused(self):
        expected = "Box::Put in a/box.cpp has 2 of `Tell();`, in lines 9, 10"
        self.assert_refused("Box::Put", "Tell();", expected)

    def test_an_empty_statement_is_refused(self):
        self.assert_refused("Box::Put", " // none", "the statement to search for is empty")

    def test_a_part_of_a_word_is_no_match(self):
        expected = "Box::Take in a/box.cpp has no statement `size`"
        self.assert_refused("Box::Take", "size", expected)


class PlantTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="netcore-mutation-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "box.cpp").write_text("int A() {  // one\n  return  Get( 1 );\n}\n")

    def bug(self, **changes):
        bug = Mutation("a_bug", "box.cpp", "A", "goes wrong", "Get(1)", "2")
        return bug._replace(**changes)

    def assert_refused(self, expected, *bugs):
        self.assertEqual(list(complaints(self.root, bugs)), [expected])

    def test_only_the_statement_is_replaced(self):
        expected = "int A() {  // one\n  return  2;\n}\n"
        self.assertEqual(replaced(self.root, self.bug()), expected)

    def test_what_fits_brings_no_complaint(self):
        bugs = (self.bug(), self.bug(name="another", search="return Get(1);", replace="return 3;"))
        self.assertEqual(list(complaints(self.root, bugs)), [])

    def test_a_missing_file_is_refused(self):
        self.assert_refused("a_bug: there is no file b.cpp", self.bug(file="b.cpp"))

    def test_a_missing_function_is_refused(self):
        self.assert_refused("a_bug: box.cpp has no function Xyz", self.bug(function="Xyz"))

    def test_a_missing_statement_is_refused(self):
        expected = "a_bug: A in box.cpp has no statement `Get(2)`"
        self.assert_refused(expected, self.bug(search="Get(2)"))

    def test_a_bug_that_changes_nothing_is_refused(self):
        expected = "a_bug: `Get(1)` would be replaced by itself"
        self.assert_refused(expected, self.bug(replace="Get( 1 ) // same"))

    def test_a_name_that_comes_twice_is_refused(self):
        self.assert_refused("a_bug: two bugs have this name", self.bug(), self.bug(replace="3"))

    def test_a_file_that_cannot_be_read_is_refused_by_name(self):
        (self.root / "open.cpp").write_text("int A() {\n")
        expected = "a_bug: open.cpp: `{` in line 1 is never closed"
        self.assert_refused(expected, self.bug(file="open.cpp"))


if __name__ == "__main__":
    unittest.main()

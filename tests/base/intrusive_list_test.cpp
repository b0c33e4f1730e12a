// IntrusiveList: order, and elements that leave their list or go from one to another.
#include "netcore/base/intrusive_list.h"

#include <array>
#include <cstddef>
#include <list>
#include <random>
#include <string>

#include "tests/support/catch.h"

namespace netcore::test {
namespace {

struct NameTag;
struct OtherTag;

struct Named : ListLink<NameTag>, ListLink<OtherTag> {
  explicit Named(char its_name = '?') : name(its_name) {}

  char name;
};

using NameList = IntrusiveList<Named, NameTag>;

bool IsIn(Named& element) { return static_cast<ListLink<NameTag>&>(element).IsLinked(); }

// What is in the list, which is then empty.
std::string Drain(NameList& list) {
  std::string names;
  while (!list.IsEmpty()) names += list.PopFront().name;
  return names;
}

TEST_CASE("a list hands out its elements in their order, from either end", "[intrusive_list]") {
  Named a('a');
  Named b('b');
  Named c('c');
  NameList list;
  CHECK(list.IsEmpty());
  list.PushBack(b);
  list.PushBack(c);
  list.PushFront(a);
  CHECK(list.Front().name == 'a');
  CHECK(IsIn(b));
  CHECK(Drain(list) == "abc");
  CHECK_FALSE(IsIn(b));
}

TEST_CASE("an element that is pushed leaves the place it had", "[intrusive_list]") {
  Named a('a');
  Named b('b');
  Named c('c');
  NameList list;
  for (Named* const element : {&a, &b, &c}) list.PushBack(*element);
  SECTION("the last one, to the end") {
    list.PushBack(c);
    CHECK(Drain(list) == "abc");
  }
  SECTION("the first one, to the front") {
    list.PushFront(a);
    CHECK(Drain(list) == "abc");
  }
  SECTION("from the middle") {
    list.PushFront(b);
    CHECK(Drain(list) == "bac");
  }
  SECTION("the only one") {
    NameList other;
    other.PushBack(b);
    other.PushBack(b);
    other.PushFront(b);
    CHECK(Drain(other) == "b");
    CHECK(Drain(list) == "ac");
  }
}

TEST_CASE("an element leaves its list by itself, and when it is destroyed", "[intrusive_list]") {
  Named a('a');
  NameList list;
  list.PushBack(a);
  {
    Named b('b');
    Named c('c');
    list.PushBack(b);
    list.PushBack(c);
    static_cast<ListLink<NameTag>&>(a).Unlink();
    static_cast<ListLink<NameTag>&>(a).Unlink();  // outside a list: nothing
    CHECK(list.Front().name == 'b');
  }
  CHECK(list.IsEmpty());
}

TEST_CASE("a list takes all of another behind its own", "[intrusive_list]") {
  std::array<Named, 4> elements{Named('a'), Named('b'), Named('c'), Named('d')};
  NameList list;
  NameList other;
  other.TakeAll(list);
  CHECK(other.IsEmpty());
  for (std::size_t i = 0; i < elements.size(); ++i) (i < 2 ? list : other).PushBack(elements[i]);
  list.TakeAll(other);
  CHECK(other.IsEmpty());
  other.TakeAll(list);
  CHECK(list.IsEmpty());
  CHECK(Drain(other) == "abcd");
}

TEST_CASE("the lists of two tags know nothing of each other", "[intrusive_list]") {
  Named a('a');
  NameList names;
  IntrusiveList<Named, OtherTag> others;
  names.PushBack(a);
  others.PushBack(a);
  CHECK(names.PopFront().name == 'a');
  CHECK(others.PopFront().name == 'a');
}

TEST_CASE("random pushes, pops and leavings are as a std::list has them", "[intrusive_list]") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::array<Named, 26> elements;
  for (std::size_t i = 0; i < elements.size(); ++i) elements[i].name = static_cast<char>('a' + i);
  std::array<NameList, 2> lists;
  std::array<std::list<char>, 2> models;
  const auto leave = [&](char name) {
    for (std::list<char>& model : models) model.remove(name);
  };
  for (int step = 0; step < 20'000; ++step) {
    Named& element = elements[random() % elements.size()];
    const std::size_t index = random() % 2;
    NameList& list = lists[index];
    std::list<char>& model = models[index];
    switch (random() % 8) {
      case 0:
        static_cast<ListLink<NameTag>&>(element).Unlink();
        leave(element.name);
        break;
      case 1:
        list.PushFront(element);
        leave(element.name);
        model.push_front(element.name);
        break;
      case 2:
        if (random() % 16 != 0) break;
        list.TakeAll(lists[1 - index]);
        model.splice(model.end(), models[1 - index]);
        break;
      case 3:
        REQUIRE(list.IsEmpty() == model.empty());
        if (model.empty()) break;
        REQUIRE(list.PopFront().name == model.front());
        model.pop_front();
        break;
      default:
        list.PushBack(element);
        leave(element.name);
        model.push_back(element.name);
        break;
    }
  }
  for (std::size_t index = 0; index < lists.size(); ++index)
    CHECK(Drain(lists[index]) == std::string(models[index].begin(), models[index].end()));
}

}  // namespace
}  // namespace netcore::test

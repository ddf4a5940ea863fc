#include "channels/polling/sight_index.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace carillon::channels::polling {
namespace {

using hub::Sight;

struct Member : RingOf<Member>::Place {
  explicit Member(int n) : number(n) {}
  int number;
};

TEST(Ring, KeepsItsOrderWhoeverLeaves) {
  RingOf<Member> ring;
  std::vector<std::unique_ptr<Member>> members;
  for (int i = 0; i < 5; ++i) {
    members.push_back(std::make_unique<Member>(i));
    ring.add(*members.back());
  }
  const auto numbers = [&] {
    std::vector<int> all;
    ring.for_each([&](Member& member) { all.push_back(member.number); });
    return all;
  };
  EXPECT_EQ(numbers(), (std::vector<int>{0, 1, 2, 3, 4}));
  members[2].reset();
  members[0]->leave();
  EXPECT_EQ(numbers(), (std::vector<int>{1, 3, 4}));
  EXPECT_TRUE(members[0]->alone());
  RingOf<Member> other;
  ring.for_each([&](Member& member) {
    if (member.number != 3) other.add(member);
  });
  EXPECT_EQ(numbers(), (std::vector<int>{3}));
  EXPECT_EQ(other.first().number, 1);
  ring.for_each([&](Member& member) { members[static_cast<std::size_t>(member.number)].reset(); });
  EXPECT_TRUE(ring.empty());
}

TEST(SightIndex, AnEventFindsThoseWhoSeeIt) {
  SightIndex<Member> index;
  Member all(1), of_account(2), of_key(3), of_other(4);
  index.add({}, all);
  index.add({Sight::Of::account, {8}, {}}, of_account);
  index.add({Sight::Of::key, {8}, {7}}, of_key);
  index.add({Sight::Of::key, {8}, {9}}, of_other);
  const auto found = [&](const hub::JobOwner& owner) {
    std::vector<int> numbers;
    index.for_each_of(
        owner, [&](auto& members) { members.for_each([&](Member& member) { numbers.push_back(member.number); }); });
    return numbers;
  };
  EXPECT_EQ(found({{7}, {8}}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(found({{9}, {8}}), (std::vector<int>{1, 2, 4}));
  EXPECT_EQ(found({{5}, {6}}), (std::vector<int>{1}));
  for (Member* member : {&all, &of_account, &of_key, &of_other}) member->leave();
  index.drop_if_empty({Sight::Of::account, {8}, {}});
  index.drop_if_empty({Sight::Of::key, {8}, {7}});
  EXPECT_FALSE(index.empty());
  index.drop_if_empty({Sight::Of::key, {8}, {9}});
  EXPECT_TRUE(index.empty());
}

TEST(Sight, TakesInWhatItsOwnerMaySee) {
  const hub::JobOwner owner{{7}, {8}};
  EXPECT_TRUE(Sight{}.takes_in(owner));
  EXPECT_TRUE((Sight{Sight::Of::account, {8}, {1}}.takes_in(owner)));
  EXPECT_FALSE((Sight{Sight::Of::account, {9}, {7}}.takes_in(owner)));
  EXPECT_TRUE((Sight{Sight::Of::key, {8}, {7}}.takes_in(owner)));
  EXPECT_FALSE((Sight{Sight::Of::key, {8}, {6}}.takes_in(owner)));
}

}  // namespace
}  // namespace carillon::channels::polling

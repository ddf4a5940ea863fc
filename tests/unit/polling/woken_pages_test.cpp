#include "channels/polling/woken_pages.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace carillon::channels::polling {
namespace {

using hub::Sight;

constexpr hub::JobOwner owner{{7}, {8}};
constexpr hub::JobOwner other{{9}, {8}};
constexpr Sight of_key{Sight::Of::key, owner.account, owner.key};
constexpr Sight of_account{Sight::Of::account, owner.account, {}};

hub::CommitBatch batch_of(const std::vector<hub::JobOwner>& owners) {
  hub::CommitBatch batch;
  for (const hub::JobOwner& whose : owners) {
    auto event = std::make_shared<hub::Event>();
    event->seq = ++batch.last;
    event->owner = whose;
    batch.events.push_back(std::move(event));
  }
  return batch;
}

/// The piece that all who are sent this page share.
const void* piece(const net::http::Body& page) {
  EXPECT_EQ(page.shared().size(), 1U);
  EXPECT_TRUE(page.own_text().empty());
  return page.shared().front().bytes.get();
}

TEST(WokenPages, AreMadeOnceForAllToWhomTheySayTheSame) {
  const hub::CommitBatch batch = batch_of({owner, other, owner});
  const FeedOptions options;
  WokenPages pages(batch, 0, options);
  const void* const one = piece(pages.page(of_key, 1));
  const void* const all = piece(pages.page(of_key, 10));
  EXPECT_NE(one, all);
  // In turn, as they come to wait.
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(piece(pages.page(of_key, 1)), one);
    EXPECT_EQ(piece(pages.page(of_key, 10)), all);
    EXPECT_EQ(piece(pages.page(of_key, 1'000)), all) << "a limit that is not reached makes no difference";
  }
  EXPECT_NE(piece(pages.page(of_account, 10)), all);
  EXPECT_EQ(pages.page(of_account, 10).text(), pages.page({}, 10).text());
  EXPECT_NE(pages.page(of_account, 10).text(), pages.page(of_key, 10).text());
}

}  // namespace
}  // namespace carillon::channels::polling

#include "app/progress_bar.h"

#include <gtest/gtest.h>

namespace carillon::app {
namespace {

TEST(ProgressBar, SaysHowFarItIs) {
  EXPECT_EQ(progress_line("copying", 0, 4096), "copying  [....................]   0 %  0 bytes of 4.0 KiB");
  EXPECT_EQ(progress_line("copying", 2048, 4096), "copying  [##########..........]  50 %  2.0 KiB of 4.0 KiB");
  EXPECT_EQ(progress_line("copying", 4096, 4096), "copying  [####################] 100 %  4.0 KiB of 4.0 KiB");
  EXPECT_EQ(progress_line("copying", 5000, 4096), progress_line("copying", 4096, 4096));
}

TEST(ProgressBar, OfWhatHasNoEndInSightItSaysWhatItIs) { EXPECT_EQ(progress_line("checking", 0, 0), "checking …"); }

TEST(ProgressBar, BytesAreToldInTheUnitThatSuits) {
  EXPECT_EQ(in_bytes(999), "999 bytes");
  EXPECT_EQ(in_bytes(1'536), "1.5 KiB");
  EXPECT_EQ(in_bytes(151ULL << 20), "151 MiB");
  EXPECT_EQ(in_bytes(3ULL << 40), "3.0 TiB");
}

}  // namespace
}  // namespace carillon::app

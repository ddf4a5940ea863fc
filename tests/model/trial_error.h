// The hub and the reference disagree, or the hub does not answer.
#pragma once

#include <stdexcept>

namespace carillon::model {

class Divergence : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace carillon::model

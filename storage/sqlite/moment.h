// While a statement stands at a row, all that its connection reads is of one moment. This lets go of it.
//
// Threads: those of the statement.
#pragma once

#include "storage/sqlite/statement.h"

namespace carillon::storage::sqlite {

class Moment {
 public:
  explicit Moment(Statement& statement) : statement_(statement) {}
  ~Moment() { statement_.reset(); }
  Moment(const Moment&) = delete;
  Moment& operator=(const Moment&) = delete;

 private:
  Statement& statement_;
};

}  // namespace carillon::storage::sqlite

// How `carillon top` shows its figures: as lines for people, or as one line of JSON.
//
// Threads: pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "app/top_figures.h"

namespace carillon::app {

/// Lines without their ends; at most `endpoints_max` endpoints.
std::vector<std::string> top_lines(const TopFigures& figures, std::size_t endpoints_max);

/// One object, with every figure by a name that says its unit; null for what there is none of.
std::string top_json(const TopFigures& figures);

/// A frame for a terminal of that size: each line cut to its width, and what was there before gone.
std::string top_frame(const std::vector<std::string>& lines, std::size_t columns, std::size_t rows);

}  // namespace carillon::app

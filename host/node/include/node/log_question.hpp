#pragma once

#include "node/questions.hpp"

namespace shaddock::node {

/// Answers the question `log`: changes the levels of this process's log, and says what they are.
void answer_log(questions& to);

} // namespace shaddock::node

// The two macros that absl::Status wants and this Abseil does not have.
#ifndef WORMHOLE_RELAY_STORE_STATUS_MACROS_H_
#define WORMHOLE_RELAY_STORE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the function when `expression`, an absl::Status, is an error.
#define RETURN_IF_ERROR(expression)                              \
  do {                                                           \
    absl::Status status_of_expression = (expression);            \
    if (!status_of_expression.ok()) return status_of_expression; \
  } while (false)

// Assigns the value of an absl::StatusOr to `target` (which may declare a variable), or returns
// its error from the function.
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot stand in parentheses.
#define ASSIGN_OR_RETURN(target, expression) \
  ASSIGN_OR_RETURN_NAMED(STATUS_MACROS_JOIN(status_or_at_line_, __LINE__), target, expression)
#define ASSIGN_OR_RETURN_NAMED(name, target, expression) \
  auto name = (expression);                              \
  if (!name.ok()) return std::move(name).status();       \
  target = *std::move(name)
// NOLINTEND(bugprone-macro-parentheses)
#define STATUS_MACROS_JOIN(a, b) STATUS_MACROS_JOIN_NOW(a, b)
#define STATUS_MACROS_JOIN_NOW(a, b) a##b

#endif  // WORMHOLE_RELAY_STORE_STATUS_MACROS_H_

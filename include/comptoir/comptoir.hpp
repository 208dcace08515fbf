/// @file
/// All of comptoir.
#ifndef COMPTOIR_COMPTOIR_HPP
#define COMPTOIR_COMPTOIR_HPP

#include <comptoir/costing.hpp>
#include <comptoir/executor.hpp>
#include <comptoir/ranking.hpp>
#include <comptoir/rules.hpp>

#endif

#include "catch.hpp"
#include "support/dialogue.hpp"

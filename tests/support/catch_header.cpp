// Compiles the precompiled header, which every test program then takes over.
#include "tests/support/catch.h"

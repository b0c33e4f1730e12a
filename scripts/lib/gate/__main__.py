"""What scripts/test runs once all is installed."""

from whole import main

main()

#!/bin/sh
# Prints the names of the programs.
sed -n 's/^\([a-z][a-z0-9-]*\) .*/\1/p' "$(dirname "$0")/../packages/programs/manifest"

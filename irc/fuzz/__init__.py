"""Fuzzing: random networks through every level, and damaged files through their readers.

networks    random valid networks, and how their levels are compared
mutate      damage done to valid files
readers     which files are damaged, and which commands read them
sandbox     commands in processes of their own, with limits of time and memory
campaign    the loop; `irc fuzz` on the command line
"""

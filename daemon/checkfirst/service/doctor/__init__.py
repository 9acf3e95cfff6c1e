"""What is wrong, and what to do: one check a file, facts in and findings out; printing is apart.

A check has two parts. `look_…_blocking` gathers facts and changes nothing; `judge_…` is pure and
says what the facts mean. Each check runs in a thread with a time limit, so that a dead network
mount hangs none but its own.
"""

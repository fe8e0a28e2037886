"""The smallest service there is: one table and its migrations, to try the chassis with."""

"""What is checked: protocol rules, values (the scoreboard), and what a fault looks like."""

"""What a run looked like inside: the cycles around a wrong beat, as text, picture and for viewers."""

"""What a run looks like inside: the cycles around a wrong beat, as text, picture and waves."""

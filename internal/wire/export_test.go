package wire

// Size is the room that an answer makes for v.
func (v *Value) Size() int { return v.size() }

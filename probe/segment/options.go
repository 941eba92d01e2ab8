package segment

// OptionNames are the TCP options that s carries, by the names of the IANA registry in short.
func (s *Segment) OptionNames() (names []string) {
	for _, o := range []struct {
		name    string
		carried bool
	}{
		{"MSS", s.MSS != 0},
		{"WindowScale", s.WindowScale >= 0},
		{"SACKPermitted", s.SACKPermitted},
		{"SACK", len(s.SACK) > 0},
		{"Timestamps", s.Timestamps != nil},
	} {
		if o.carried {
			names = append(names, o.name)
		}
	}
	return names
}

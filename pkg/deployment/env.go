package deployment

// Env gives a variable of the service's environment. One that it has not has the place where it would stand.
func (s *Service) Env(name string) (text string, at Leaf) {
	if v := s.variable(name); v != nil {
		return v.Text, v.At
	}
	return "", LeafOf(s.EnvAt.v.At(name))
}

// EnvHidden says why a variable of the service may have a value that cannot be seen; "" when it cannot.
func (s *Service) EnvHidden(name string) string {
	if v := s.variable(name); v != nil && !v.FromFile {
		return v.Hidden
	}
	return s.EnvUnread
}

// variable is the one that counts of those with the name; nil when there is none.
func (s *Service) variable(name string) *Variable {
	for i := range s.Variables {
		if s.Variables[i].Name == name {
			return &s.Variables[i]
		}
	}
	return nil
}

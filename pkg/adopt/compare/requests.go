package compare

func (c *comparison) requests() {}

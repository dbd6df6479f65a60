package audit

const MaxRefusals = maxRefusals

func (r *Refusals) Due(l Line) bool { return r.due(l) }

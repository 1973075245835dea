package op

// FillSignatures takes every place among the signatures until leave.
func (p *Provider) FillSignatures() (leave func()) {
	var leaves []func()
	for {
		place, err := p.keys.Enter()
		if err != nil {
			break
		}
		leaves = append(leaves, place.Leave)
	}
	return func() {
		for _, leave := range leaves {
			leave()
		}
	}
}

package storage

import (
	"reflect"
	"sync"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// parsedMetadata remembers what texts of clients' metadata say. The text itself is
// read from the database each time, so a changed client is seen at once, by every
// process; only parsing it, which took as long as reading it, is done once.
type parsedMetadata struct {
	mu sync.RWMutex
	of map[string]vneid.ClientMetadata
}

const (
	mostMetadata    = 256
	longestMetadata = 4 << 10 // bytes of a text that is remembered
)

var clientMetadata parsedMetadata

func (p *parsedMetadata) parse(text string) (m vneid.ClientMetadata, err error) {
	p.mu.RLock()
	m, ok := p.of[text]
	p.mu.RUnlock()
	if ok {
		return ownCopy(m), nil
	}
	if err := fromJSON(text, &m); err != nil || m.JWKS != nil || len(text) > longestMetadata {
		return m, err
	}
	p.mu.Lock()
	if p.of == nil || len(p.of) >= mostMetadata {
		p.of = map[string]vneid.ClientMetadata{}
	}
	p.of[text] = ownCopy(m)
	p.mu.Unlock()
	return m, nil
}

// ownCopy shares nothing that its owner could change. Keys (JWKS) it leaves out.
func ownCopy(m vneid.ClientMetadata) vneid.ClientMetadata {
	v := reflect.ValueOf(&m).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i).Addr().Interface().(type) {
		case *[]string:
			if *f != nil {
				*f = append(make([]string, 0, len(*f)), *f...)
			}
		case **bool:
			if *f != nil {
				b := **f
				*f = &b
			}
		}
	}
	return m
}

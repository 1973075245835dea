package main

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// procedure is a thủ tục hành chính. These are invented after the pattern of
// real ones; codes beginning with 9 belong to nobody.
type procedure struct {
	Code                    string
	Name, Field, Agency     text
	Level, Fee, Time, About text
	Papers                  []text
}

var (
	wholly = text{"Dịch vụ công trực tuyến toàn trình", "Fully online"}
	partly = text{"Dịch vụ công trực tuyến một phần", "Partly online"}

	commune = text{"Ủy ban nhân dân cấp xã", "Commune People's Committee"}
	freeFee = text{"Không thu phí", "Free of charge"}
	byVNeID = text{"Giấy tờ tùy thân (lấy từ VNeID, không phải nộp bản sao)", "Proof of identity (taken from VNeID, no copy needed)"}
)

// fields are the lĩnh vực, in the order of the list.
var fields = func() []text {
	var list []text
	for _, p := range procedures {
		if !slices.Contains(list, p.Field) {
			list = append(list, p.Field)
		}
	}
	return list
}()

func procedureByCode(code string) (procedure, bool) {
	for _, p := range procedures {
		if p.Code == code {
			return p, true
		}
	}
	return procedure{}, false
}

// findProcedures returns those that hold every word, with or without marks.
func findProcedures(query string) []procedure {
	words := strings.Fields(plain(query))
	var found []procedure
next:
	for _, p := range procedures {
		var hay strings.Builder
		for _, t := range []text{p.Name, p.Field, p.Agency} {
			hay.WriteString(plain(t.VI) + " " + plain(t.EN) + " ")
		}
		all := hay.String() + p.Code
		for _, w := range words {
			if !strings.Contains(all, w) {
				continue next
			}
		}
		found = append(found, p)
	}
	return found
}

// plain is lower case without diacritics: people search "ho kinh doanh".
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case r == 'đ':
			return 'd'
		}
		return r
	}, norm.NFD.String(strings.ToLower(s)))
}

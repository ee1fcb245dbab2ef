package oktest

import (
	"strconv"
	"strings"
)

// The world of the fake: ten thousand residents, generated from their numbers,
// and three groups. None of them can sign in; users of NewUser are added to
// them.
const (
	firstResidentID = 570_000_000_001
	residents       = 10_000
	friendsOfUser   = 7
)

// A person is a profile that users.getInfo finds.
type person struct {
	id       string
	number   int // from 0
	email    string
	resident bool
}

// findPerson returns the resident or user with this id.
func (s *Server) findPerson(id string) (person, bool) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return person{}, false
	}
	if i := n - firstResidentID; i >= 0 && i < residents {
		return person{id: id, number: int(i), resident: true}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := n - firstUserID - 1; i >= 0 && i < int64(len(s.users)) {
		return s.users[i].person(), true
	}
	return person{}, false
}

func (u *User) person() person {
	n, _ := strconv.ParseInt(u.id, 10, 64)
	p := person{id: u.id, number: int(n - firstUserID - 1)}
	if strings.Contains(u.login, "@") {
		p.email = u.login
	}
	return p
}

// userID returns the id of the user number i, from 0.
func userID(i int) string { return strconv.FormatInt(firstUserID+1+int64(i), 10) }

func residentID(i int) string { return strconv.FormatInt(firstResidentID+int64(i), 10) }

func (p person) female() bool { return p.number%2 == 0 }

var (
	womensNames = []string{"Анна", "Ольга", "Мария", "Елена", "Дарья", "Ирина", "Юлия", "Вера"}
	mensNames   = []string{"Иван", "Пётр", "Алексей", "Сергей", "Михаил", "Андрей", "Юрий", "Олег"}
	surnames    = []string{"Иванов", "Смирнов", "Кузнецов", "Попов", "Соколов", "Лебедев", "Новиков", "Морозов", "Волков"}
	cities      = []string{"Москва", "Петрозаводск", "Казань", "Томск", "Рига"}
)

func (p person) names() (first, last string) {
	last = surnames[p.number%len(surnames)]
	if p.female() {
		return womensNames[p.number/2%len(womensNames)], last + "а"
	}
	return mensNames[p.number/2%len(mensNames)], last
}

// profile returns all fields of users.getInfo.
func (p person) profile() map[string]any {
	first, last := p.names()
	gender := "male"
	if p.female() {
		gender = "female"
	}
	return map[string]any{
		"uid":         p.id,
		"first_name":  first,
		"last_name":   last,
		"name":        first + " " + last,
		"gender":      gender,
		"birthday":    strconv.Itoa(1960+p.number%40) + "-0" + strconv.Itoa(1+p.number%9) + "-1" + strconv.Itoa(p.number%10),
		"locale":      "ru",
		"location":    map[string]string{"city": cities[p.number%len(cities)], "country": "RUSSIAN_FEDERATION", "countryCode": "RU"},
		"has_email":   p.email != "",
		"pic_1":       "https://i.mycdn.me/res/stub_50x50.gif",
		"url_profile": "https://ok.ru/profile/" + p.id,
	}
}

// A group is a group of the world. Its members are the first residents.
type group struct {
	id, name, description string
	members               int
}

var groups = []group{
	{"54000000000001", "Суслики Карелии", "Everyone who lives in the world of oktest", residents},
	{"54000000000002", "Утренний чай", "A small group", 120},
	{"54000000000003", "Пустая комната", "A group without members", 0},
}

func findGroup(id string) (group, bool) {
	for _, g := range groups {
		if g.id == id {
			return g, true
		}
	}
	return group{}, false
}

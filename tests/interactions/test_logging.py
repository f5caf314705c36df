"""Logging one interaction over REST."""


def test_what_was_logged_is_read_back_by_the_next_request(api, project):
    logged = api.log(project, labels={"intent": "cover"}, model="harbor-8b")
    assert logged.status_code == 201
    read = api.get(f"interactions/{logged.json()['completion_id']}").json()
    assert read["messages"] == [{"role": "user", "content": "Am I covered?"}]
    assert (read["completion"], read["model"], read["labels"]) == ("Yes.", "harbor-8b", {"intent": "cover"})

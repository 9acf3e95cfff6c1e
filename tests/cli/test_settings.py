def test_show_says_where_values_are_from_and_masks_the_key(scene, run, monkeypatch):
    monkeypatch.setenv("CHECKFIRST_VIRUSTOTAL__API_KEY", "f" * 64)
    code, out, _ = run("settings", "show")
    assert code == 0
    assert f"state: {scene.state}  # from file" in out
    assert "api_key: '***'  # from environment" in out
    assert "f" * 64 not in out


def test_check_of_right_settings(scene, run):
    code, out, _ = run("settings", "check")
    assert (code, out) == (0, f"The settings are right: {scene.top}/settings.yaml\n")


def test_check_tells_every_problem(scene, run):
    (scene.top / "settings.yaml").write_text("mode: loud\nintake: {settle: 5, deep: true}\n")
    code, _, err = run("settings", "check")
    assert code == 2
    lines = err.splitlines()
    assert lines[0] == "Error: The settings cannot be used:" or lines[0].startswith("Error: ")
    assert [sum(key in line for line in lines) for key in ("mode", "settle", "deep")] == [1, 1, 1]


def test_check_warns_of_a_key_that_others_can_read(scene, run):
    with (scene.top / "settings.yaml").open("a") as file:
        file.write("virustotal: {api_key: " + "a" * 64 + "}\n")
    (scene.top / "settings.yaml").chmod(0o644)
    code, _, err = run("settings", "check")
    assert code == 0
    assert "chmod 600" in err


def test_path_of_the_file_that_counts(scene, run):
    assert run("settings", "path") == (0, f"{scene.top}/settings.yaml\n", "")


def test_without_a_file_it_says_where_it_looked(scene, run):
    (scene.top / "settings.yaml").unlink()
    code, out, err = run("settings", "path")
    assert (code, out) == (0, "")
    assert f"{scene.top}/settings.yaml" in err
    assert ".config/checkfirst/settings.yaml" in err


def test_a_named_file_that_is_not_there(scene, run):
    code, _, err = run("--settings", "nowhere.yaml", "settings", "check")
    assert code == 2
    assert "nowhere.yaml: there is no such file" in err

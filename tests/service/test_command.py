from checkfirst.service.command import own_command


def test_the_interpreter_imports_nothing_from_the_working_folder():
    command = own_command("/s.yaml", ["run"], "/bin/python3")
    assert command == ["/bin/python3", "-P", "-m", "checkfirst", "--settings", "/s.yaml", "run"]
    assert own_command(None, ["run"], "/bin/python3")[4:] == ["run"]

from irc.backends.verilog.printer import VerilogFile


def check_design(files: list[VerilogFile]) -> None: ...

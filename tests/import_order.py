"""The contract behind `lint-imports`: a module imports only what stands below it, or its own app on its own line."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class OneOrder(Contract):
    """Lines from the top; each names modules with all they contain, `*` stands for any app. The first match counts."""

    type_name = "one_order"
    order = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        homeless = sorted(module for module in graph.modules if self.line_of(module) is None)
        upwards = sorted(
            f"{importer} imports {imported} (line {detail['line_number']})"
            for importer in graph.modules - set(homeless)
            for imported in graph.find_modules_directly_imported_by(importer) - set(homeless)
            if not self.allows(importer, imported)
            for detail in graph.get_import_details(importer=importer, imported=imported)
        )
        return ContractCheck(kept=not homeless and not upwards, metadata={"homeless": homeless, "upwards": upwards})

    def allows(self, importer, imported):
        above, below = self.line_of(importer), self.line_of(imported)
        return above < below or (above == below and importer.split(".")[0] == imported.split(".")[0])

    def line_of(self, module):
        parts = module.split(".")
        for number, line in enumerate(self.order):
            if any(matches(pattern.split("."), parts) for pattern in line.split(" | ")):
                return number
        return None

    def render_broken_contract(self, check):
        for module in check.metadata["homeless"]:
            output.print_error(f"{module} has no place in the order.", bold=False)
        for line in check.metadata["upwards"]:
            output.print_error(line, bold=False)
        output.new_line()


def matches(pattern, parts):
    """Whether the module is the one named by the pattern, or lies in it."""
    return len(parts) >= len(pattern) and all(want in ("*", part) for want, part in zip(pattern, parts, strict=False))

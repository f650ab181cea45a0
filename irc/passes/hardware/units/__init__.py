"""The hardware of each `dataflow` unit, built as one `hw.module` each."""

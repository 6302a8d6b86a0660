export function TraceComparePage() {
  return null;
}

using BenchmarkDotNet.Running;

namespace PacsStegoGateway.Benchmarks;

/// <summary>Named and not top-level statements: the gateway's own <c>Program</c> is in sight here.</summary>
internal static class Benchmarks
{
    private static void Main(string[] arguments) => BenchmarkSwitcher.FromAssembly(typeof(Benchmarks).Assembly).Run(arguments);
}

using System.Globalization;
using BenchmarkDotNet.Running;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Steganography.Sealing;

namespace PacsStegoGateway.Benchmarks;

/// <summary>Named and not top-level statements: the gateway's own <c>Program</c> is in sight here.</summary>
internal static class Benchmarks
{
    private static async Task Main(string[] arguments)
    {
        // What takes a database of its own is no micro-benchmark: scripts/measure-audit.sh.
        if (arguments is ["audit", var connection, var ring, var rows])
        {
            var database = new DatabaseOptions { Kind = DatabaseKind.PostgreSql, ConnectionString = connection, TimeoutSeconds = 300 };
            await new AuditTrail(database, KeyRing.Create(ring), long.Parse(rows, CultureInfo.InvariantCulture), 200).RunAsync(Console.Out, CancellationToken.None);
            return;
        }

        BenchmarkSwitcher.FromAssembly(typeof(Benchmarks).Assembly).Run(arguments);
    }
}

using System.Globalization;

namespace PacsStegoGateway.SystemTests.Fixtures;

/// <summary>What the kernel says of a process.</summary>
public static class ProcessFigures
{
    /// <summary>Resident memory now, MiB.</summary>
    public static long ResidentMegabytes(int id) => Field(id, "VmRSS:");

    /// <summary>The most resident memory it ever had, MiB.</summary>
    public static long PeakMegabytes(int id) => Field(id, "VmHWM:");

    /// <summary>Open files, sockets and pipes.</summary>
    public static int Descriptors(int id) => Directory.GetFileSystemEntries($"/proc/{id}/fd").Length;

    private static long Field(int id, string name)
    {
        string line = File.ReadLines($"/proc/{id}/status").First(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }
}

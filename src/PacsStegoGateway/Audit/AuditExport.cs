using System.Globalization;
using System.Text.Json;
using System.Text;
using System.Xml;

namespace PacsStegoGateway.Audit;

/// <summary>How a trail leaves the gateway.</summary>
public enum AuditFormat
{
    /// <summary>RFC 4180, UTF-8, with a line of names.</summary>
    Csv,

    /// <summary>An array of objects.</summary>
    Json,

    /// <summary>DICOM audit messages (PS3.15 A.5.1) in one element <c>AuditMessages</c>.</summary>
    Dicom,
}

/// <summary>Writes entries one after the other: as many as there are, in as much memory as one takes. By pseudonym; nothing sealed leaves.</summary>
public static class AuditExport
{
    private static readonly string[] Names =
    [
        "sequence", "at", "node", "event", "eventName", "outcome", "callingAE", "remoteAddress", "user", "purpose", "patient", "studyUID", "sopUID", "reason", "detail",
    ];

    /// <returns>How many were written.</returns>
    /// <exception cref="IOException">The target cannot be written.</exception>
    public static Task<long> WriteAsync(Stream target, AuditFormat format, IAsyncEnumerable<AuditRecord> records, Action<long>? progress) => format switch
    {
        AuditFormat.Csv => WriteCsvAsync(target, records, progress),
        AuditFormat.Json => WriteJsonAsync(target, records, progress),
        _ => WriteDicomAsync(target, records, progress),
    };

    private static async Task<long> WriteCsvAsync(Stream target, IAsyncEnumerable<AuditRecord> records, Action<long>? progress)
    {
        await using var writer = new StreamWriter(target, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16, leaveOpen: true) { NewLine = "\r\n" };
        await writer.WriteLineAsync(string.Join(',', Names));
        return await EachAsync(records, progress, record => writer.WriteLineAsync(string.Join(',', Values(record).Select(Cell))));
    }

    private static async Task<long> WriteJsonAsync(Stream target, IAsyncEnumerable<AuditRecord> records, Action<long>? progress)
    {
        await using var writer = new Utf8JsonWriter(target, new JsonWriterOptions { Indented = true });
        writer.WriteStartArray();
        long count = await EachAsync(records, progress, async record =>
        {
            writer.WriteStartObject();
            writer.WriteNumber("sequence", record.Sequence);
            foreach ((string name, string? value) in Names.Skip(1).Zip(Values(record).Skip(1)))
            {
                if (name is "event" or "outcome")
                {
                    writer.WriteNumber(name, int.Parse(value!, CultureInfo.InvariantCulture));
                }
                else if (value is not null)
                {
                    writer.WriteString(name, value);
                }
            }

            writer.WriteEndObject();
            if (writer.BytesPending > 1 << 16)
            {
                await writer.FlushAsync();
            }
        });
        writer.WriteEndArray();
        return count;
    }

    private static async Task<long> WriteDicomAsync(Stream target, IAsyncEnumerable<AuditRecord> records, Action<long>? progress)
    {
        await using var writer = XmlWriter.Create(target, new XmlWriterSettings { Async = true, Indent = true, Encoding = new UTF8Encoding(false), CloseOutput = false });
        await writer.WriteStartElementAsync(null, "AuditMessages", null);
        long count = await EachAsync(records, progress, record =>
        {
            DicomAuditMessage.Write(writer, record);
            return Task.CompletedTask;
        });
        await writer.WriteEndElementAsync();
        return count;
    }

    private static async Task<long> EachAsync(IAsyncEnumerable<AuditRecord> records, Action<long>? progress, Func<AuditRecord, Task> write)
    {
        long count = 0;
        await foreach (AuditRecord record in records)
        {
            await write(record);
            if (++count % 1000 == 0)
            {
                progress?.Invoke(count);
            }
        }

        return count;
    }

    private static string?[] Values(AuditRecord record) =>
    [
        record.Sequence.ToString(CultureInfo.InvariantCulture), record.At.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture), record.Node,
        ((int)record.Event).ToString(CultureInfo.InvariantCulture), record.Event.ToString(), ((int)record.Outcome).ToString(CultureInfo.InvariantCulture),
        record.CallingAE, record.RemoteAddress, record.User, record.Purpose, record.Patient, record.StudyUID, record.SopUID, record.Reason, record.Detail,
    ];

    /// <summary>Quoted where it must be. A spreadsheet takes what begins so for a formula, and a peer chose some of these texts: an apostrophe makes it text.</summary>
    private static string Cell(string? value)
    {
        if (string.IsNullOrEmpty(value))
        {
            return "";
        }

        string safe = value[0] is '=' or '+' or '-' or '@' or '\t' or '\r' or '\uff1d' or '\uff0b' or '\uff0d' or '\uff20' ? "'" + value : value;
        return safe.AsSpan().IndexOfAny("\",\r\n") < 0 ? safe : $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}

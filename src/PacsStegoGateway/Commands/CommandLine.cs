using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using PacsStegoGateway.Configuration;
using PacsStegoGateway.Dicom;
using PacsStegoGateway.Segmentation;
using PacsStegoGateway.Segmentation.OnnxRuntime;
using PacsStegoGateway.Steganography.Sealing;
using PacsStegoGateway.Storage;

namespace PacsStegoGateway.Commands;

/// <summary>The command line: one verb, one file.</summary>
internal static class CommandLine
{
    /// <summary>After SIGTERM or Ctrl+C a verb may finish what is under way; longer than the host's own limit, shorter than systemd's.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(80);

    /// <summary>Runs one command line.</summary>
    /// <returns>An <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments)
    {
        ParseResult parsed = Create().Parse(arguments);
        if (parsed.Errors.Count > 0)
        {
            foreach (ParseError error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(TextOf(error)).ConfigureAwait(false);
            }

            await Console.Error.WriteLineAsync($"'{NameOf(parsed.CommandResult)} --help' shows how it is used.").ConfigureAwait(false);
            return ExitCode.Misused;
        }

        try
        {
            if (parsed.Action is not HelpAction && parsed.CommandResult.Command.Subcommands.Count == 0)
            {
                await OperatorGate.PassAsync(parsed, CancellationToken.None).ConfigureAwait(false);
            }

            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = StopTimeout }).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await Console.Error.WriteLineAsync("Stopped.").ConfigureAwait(false);
            return ExitCode.SomeFailed;
        }
        catch (NotPermittedException e)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCode.NotPermitted;
        }
        catch (Exception e) when (IsMisuse(e))
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCode.Misused;
        }
        catch (Exception e) when (e is DicomContentException or IOException or UnauthorizedAccessException or StoreUnavailableException)
        {
            await Console.Error.WriteLineAsync(e.Message).ConfigureAwait(false);
            return ExitCode.SomeFailed;
        }
    }

    /// <summary>The parser's own text, with the values that are allowed where it would name a type of the program.</summary>
    internal static string TextOf(ParseError error)
    {
        int place = error.Message.IndexOf(" as expected type '", StringComparison.Ordinal);
        Type? type = error.SymbolResult switch
        {
            OptionResult option => option.Option.ValueType,
            ArgumentResult argument => argument.Argument.ValueType,
            _ => null,
        };
        if (place < 0 || type is null)
        {
            return error.Message;
        }

        type = type.IsArray ? type.GetElementType()! : type;
        type = Nullable.GetUnderlyingType(type) ?? type;
        string wanted = type.IsEnum ? "one of " + string.Join(", ", Enum.GetNames(type).Select(AsTyped))
            : type == typeof(bool) ? "true or false"
            : type == typeof(DateTimeOffset) ? "a date or a time such as 2026-01-31 or 2026-01-31T08:00"
            : "a whole number that fits";
        return $"{error.Message[..place]}: give {wanted}.";
    }

    /// <summary>Any case is taken; names of one word are documented in small letters.</summary>
    private static string AsTyped(string name) => name.Skip(1).Any(char.IsUpper) ? name : name.ToLowerInvariant();

    /// <summary>The verb with those above it, such as <c>psg audit list</c>.</summary>
    private static string NameOf(SymbolResult result) => string.Join(' ', Chain(result).Reverse());

    private static IEnumerable<string> Chain(SymbolResult? result)
    {
        for (; result is CommandResult command; result = result.Parent)
        {
            yield return command.Command is RootCommand ? "psg" : command.Command.Name;
        }
    }

    /// <summary>What the user, not the data, must change: configuration, keys, model, native library.</summary>
    internal static bool IsMisuse(Exception e) => e is CommandException or ConfigurationException or KeyRingException
        or SegmentationModelException or OnnxRuntimeUnavailableException;

    internal static RootCommand Create() => new("PacsStegoGateway: de-identifies images on their way to the PACS and brings the originals back.")
    {
        RunCommand.Create(),
        CheckConfigCommand.Create(),
        RouteCommand.Create(),
        ProtectCommand.Create(),
        RevealCommand.Create(),
        InspectCommand.Create(),
        DumpCommand.Create(),
        RenderCommand.Create(),
        EchoCommand.Create(),
        SendCommand.Create(),
        FindCommand.Create(),
        MoveCommand.Create(),
        GetCommand.Create(),
        StatusCommand.Create(),
        QueueCommand.Create(),
        AuditCommand.Create(),
        QuarantineCommand.Create(),
        CommitmentCommand.Create(),
        KeysCommand.Create(),
        UserCommand.Create(),
        ServiceCommand.Create(),
        PhantomCommand.Create(),
    };
}

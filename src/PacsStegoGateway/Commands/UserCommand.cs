using System.CommandLine;
using System.Text;
using PacsStegoGateway.Security;

namespace PacsStegoGateway.Commands;

/// <summary><c>psg user hash</c>: what the configuration may hold of a passcode.</summary>
internal static class UserCommand
{
    public static Command Create()
    {
        var hash = new Command("hash", "Reads a passcode (typed, or one line of standard input) and prints what belongs into Callers:n:Users:n:Passcode.");
        hash.SetAction(static _ => Hash());
        return new Command("user", "Users of calling systems, for user identity negotiation.") { hash };
    }

    private static int Hash()
    {
        string passcode = Console.IsInputRedirected ? Console.In.ReadLine() ?? "" : Ask();
        if (passcode.Length is 0 || Encoding.UTF8.GetByteCount(passcode) > 256)
        {
            throw new CommandException("A passcode is 1 to 256 bytes.");
        }

        Console.WriteLine(PasscodeHash.Create(passcode));
        return ExitCode.Done;
    }

    /// <summary>Typed without being shown.</summary>
    private static string Ask()
    {
        Console.Error.Write("Passcode: ");
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                typed.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
